#include "cluster/peer_client.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "cluster/certificate.h"
#include "cluster/peer_wire.h"

namespace blixard::cluster {
namespace {

grpc::ChannelArguments channel_arguments(const std::string& expected_name) {
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(expected_name);
    arguments.SetMaxReceiveMessageSize(kPeerMessageBytesMax);
    arguments.SetMaxSendMessageSize(kPeerMessageBytesMax);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return arguments;
}

// By the monotonic clock: setting the wall clock makes nothing wait.
gpr_timespec deadline_in(Millis timeout) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(timeout.count, GPR_TIMESPAN));
}

// A call that can be cut off. Any thread.
//
// Calls die on the executor, never on gRPC's thread: a call's context keeps its channel, and the
// last channel's end waits for gRPC's threads. Where a call has handed itself over, its address
// serves only as a key.
class Cancelable {
 public:
    virtual ~Cancelable() = default;
    virtual void cancel() = 0;
};

// The calls that run, so that the destructor can cut them off and wait.
class LiveCalls {
 public:
    void add(Cancelable* call) {
        const std::lock_guard lock(mutex_);
        calls_.insert(call);
    }
    void remove(Cancelable* call) {
        const std::lock_guard lock(mutex_);
        calls_.erase(call);
        changed_.notify_all();
    }
    void close() {
        std::unique_lock lock(mutex_);
        for (auto* call : calls_) call->cancel();
        changed_.wait(lock, [this] { return calls_.empty(); });
    }

 private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<Cancelable*> calls_;  // guarded by mutex_
};

// A question and its answer.
template <class Request, class Reply>
struct UnaryAsk final : Cancelable {
    grpc::ClientContext context;
    Request request;
    Reply reply;

    void cancel() override { context.TryCancel(); }
};

// One blob part: a server stream gathered into one text.
class BlobPartCall final : public grpc::ClientReadReactor<wire::BlobChunk>, Cancelable {
 public:
    BlobPartCall(std::shared_ptr<LiveCalls> live, Executor& executor, std::string whom,
                 wire::FetchBlobRequest request, Callback<BlobPart> done)
        : live_(std::move(live)),
          executor_(executor),
          whom_(std::move(whom)),
          request_(std::move(request)),
          done_(std::move(done)) {}

    void start(wire::Peer::Stub& stub) {
        context_.set_deadline(deadline_in(kBlobPartTimeout));
        live_->add(this);
        stub.async()->FetchBlob(&context_, &request_, this);
        StartRead(&chunk_);
        StartCall();
    }
    void OnReadDone(bool ok) override {
        if (!ok) return;
        if (chunk_.offset() != request_.offset() + part_.bytes.size() ||
            part_.bytes.size() + chunk_.data().size() > request_.length()) {
            wrong_ = true;
            context_.TryCancel();
            return;
        }
        part_.bytes += chunk_.data();
        part_.total_bytes = chunk_.total_bytes();
        StartRead(&chunk_);
    }
    void OnDone(const grpc::Status& status) override {
        Result<BlobPart> result = std::move(part_);
        if (wrong_)
            result = fail(ErrorCode::kInternal, whom_ + " sent a part that was not asked for");
        else if (!status.ok())
            result = fail(from_status(status, whom_));
        result_ = std::move(result);
        const auto live = live_;
        executor_.post([this] {
            const std::unique_ptr<BlobPartCall> owned(this);
            done_(std::move(result_));
        });
        live->remove(this);
    }
    void cancel() override { context_.TryCancel(); }

 private:
    std::shared_ptr<LiveCalls> live_;
    Executor& executor_;
    const std::string whom_;
    const wire::FetchBlobRequest request_;
    Callback<BlobPart> done_;
    grpc::ClientContext context_;
    wire::BlobChunk chunk_;
    BlobPart part_;
    Result<BlobPart> result_;
    bool wrong_ = false;
};

// The asking end of Forward. Frames are handed to the executor one at a time: the next is read when
// the last was taken. A hold keeps gRPC from ending the call while the executor may still write; it
// goes when reading has ended.
class ForwardAsk final : public grpc::ClientBidiReactor<wire::ForwardFrame, wire::ForwardFrame>,
                         public std::enable_shared_from_this<ForwardAsk>,
                         Cancelable {
 public:
    ForwardAsk(std::shared_ptr<LiveCalls> live, Executor& executor, std::string whom,
               std::shared_ptr<api::Responder> responder, PeerClient::Problem problem)
        : live_(std::move(live)),
          executor_(executor),
          whom_(std::move(whom)),
          responder_(std::move(responder)),
          problem_(std::move(problem)) {}

    void start(wire::Peer::Stub& stub, wire::RequestHead head) {
        self_ = shared_from_this();
        live_->add(this);
        stub.async()->Forward(&context_, this);
        AddHold();
        StartRead(&in_);
        wire::ForwardFrame frame;
        *frame.mutable_request() = std::move(head);
        push(std::move(frame));
        StartCall();
    }

    void OnReadDone(bool ok) override {
        {
            const std::lock_guard lock(mutex_);
            reading_ = false;
            if (!ok || cancelled_) return release_hold();
        }
        executor_.post([self = shared_from_this()] { self->take(); });
    }
    void OnWriteDone(bool ok) override {
        const std::lock_guard lock(mutex_);
        writing_ = false;
        out_.pop_front();
        if (ok) write_next();
    }
    void OnDone(const grpc::Status& status) override {
        const auto live = live_;
        executor_.post([self = std::move(self_), status] { self->end(status); });
        live->remove(this);
    }
    void cancel() override {
        const std::lock_guard lock(mutex_);
        cancelled_ = true;
        context_.TryCancel();
        if (!reading_) release_hold();
    }

 private:
    static constexpr std::size_t kMessagesWaitingMax = 4096;  // of a WebSocket, to be sent

    // Executor.
    void take() {
        if (in_.has_response()) take_head(std::move(*in_.mutable_response()));
        if (in_.has_data() && !take_data(in_.data())) cancel();
        in_.Clear();
        const std::lock_guard lock(mutex_);
        if (cancelled_) return;
        reading_ = true;
        StartRead(&in_);
    }
    void take_head(wire::ResponseHead head) {
        if (std::exchange(answered_, true)) return;
        const auto kind = head.kind();
        api::Response response = from_wire(std::move(head));
        if (kind == wire::ResponseHead::COMPLETE) return responder_->send(std::move(response));
        const auto hang_up = [weak = weak_from_this()] {
            if (auto self = weak.lock()) self->cancel();
        };
        if (kind == wire::ResponseHead::STREAM) {
            stream_ = responder_->start_stream(std::move(response));
            if (stream_) stream_->on_closed(hang_up);
            return;
        }
        socket_ = responder_->accept_socket();
        if (!socket_) {
            responder_->send(
                problem_({ErrorCode::kInvalid, "this request has to ask for a WebSocket", {}, {}}));
            return cancel();
        }
        socket_->on_message([weak = weak_from_this()](std::string_view bytes) {
            if (auto self = weak.lock()) self->push_data(bytes);
        });
        socket_->on_closed(hang_up);
    }
    bool take_data(const std::string& data) {
        if (stream_) return stream_->write(data);
        return socket_ ? socket_->send(data) : true;
    }
    void push_data(std::string_view bytes) {
        wire::ForwardFrame frame;
        frame.set_data(bytes.data(), bytes.size());
        push(std::move(frame));
    }
    void end(const grpc::Status& status) {
        if (!std::exchange(answered_, true))
            responder_->send(problem_(status.ok()
                                          ? Error{ErrorCode::kUnavailable,
                                                  whom_ + " ended the call without an answer",
                                                  {},
                                                  {}}
                                          : from_status(status, whom_)));
        if (stream_) stream_->close();
        if (socket_) socket_->close(status.ok() ? "the other side closed" : status.error_message());
        stream_.reset();
        socket_.reset();
        responder_.reset();
    }

    // Any thread.
    void push(wire::ForwardFrame frame) {
        const std::lock_guard lock(mutex_);
        if (hold_released_ || out_.size() >= kMessagesWaitingMax) return;
        out_.push_back(std::move(frame));
        write_next();
    }
    void write_next() {  // mutex_ held
        if (writing_ || out_.empty() || hold_released_) return;
        writing_ = true;
        StartWrite(&out_.front());
    }
    void release_hold() {  // mutex_ held
        if (!std::exchange(hold_released_, true)) RemoveHold();
    }

    std::shared_ptr<LiveCalls> live_;
    Executor& executor_;
    const std::string whom_;
    std::shared_ptr<api::Responder> responder_;
    const PeerClient::Problem problem_;
    std::shared_ptr<ForwardAsk> self_;
    grpc::ClientContext context_;
    wire::ForwardFrame in_;  // gRPC's while it reads, the executor's after

    std::mutex mutex_;
    std::deque<wire::ForwardFrame> out_;  // guarded by mutex_
    bool reading_ = true, writing_ = false, cancelled_ = false,
         hold_released_ = false;  // guarded by mutex_

    // Executor.
    std::shared_ptr<api::Stream> stream_;
    std::shared_ptr<api::Socket> socket_;
    bool answered_ = false;
};

// A host as it is asked: its stub, and how errors name it.
struct Target {
    std::shared_ptr<wire::Peer::Stub> stub;
    std::string whom;
};

}  // namespace

struct PeerClient::Impl {
    Identity identity;
    Resolve resolve;
    Problem problem;
    Executor& executor;
    std::shared_ptr<LiveCalls> live = std::make_shared<LiveCalls>();
    std::map<std::pair<std::string, std::string>, std::shared_ptr<wire::Peer::Stub>>
        stubs;  // (address, name)

    Impl(Identity who, Resolve where, Problem how, Executor& loop)
        : identity(std::move(who)),
          resolve(std::move(where)),
          problem(std::move(how)),
          executor(loop) {}

    std::shared_ptr<wire::Peer::Stub> stub_at(const std::string& address,
                                              const std::string& expected_name) {
        auto& stub = stubs[{address, expected_name}];
        if (!stub) {
            const grpc::SslCredentialsOptions options{identity.authority_pem, identity.key_pem,
                                                      identity.certificate_pem};
            stub = wire::Peer::NewStub(grpc::CreateCustomChannel(
                address, grpc::SslCredentials(options), channel_arguments(expected_name)));
        }
        return stub;
    }

    Target at(const std::string& address) {
        return {stub_at(address, cluster_dns_name(identity.cluster_id)), "the host at " + address};
    }

    Result<Target> named(const std::string& name) {
        const auto address = resolve(name);
        if (!address)
            return fail(ErrorCode::kNotFound, "\"" + name + "\" is no member of this cluster");
        return Target{stub_at(*address, name), "host \"" + name + "\" (" + *address + ")"};
    }

    template <class T>
    void refuse(const Error& error, Callback<T> done) {
        executor.post([error, done = std::move(done)] { done(fail(error)); });
    }

    // `call(stub, context, request, reply, finished)` starts it; `convert(reply)` makes the value.
    template <class Reply, class Request, class Call, class T, class Convert>
    void ask(const Target& target, Request request, Millis timeout, Call call, Convert convert,
             Callback<T> done) {
        auto asked = std::make_shared<UnaryAsk<Request, Reply>>();
        asked->request = std::move(request);
        asked->context.set_deadline(deadline_in(timeout));
        live->add(asked.get());
        call(*target.stub, &asked->context, &asked->request, &asked->reply,
             [asked, live = live, &loop = executor, whom = target.whom, convert,
              done = std::move(done)](const grpc::Status& status) mutable {
                 Cancelable* const key = asked.get();
                 loop.post([asked = std::move(asked), convert = std::move(convert),
                            done = std::move(done), status, whom] {
                     if (status.ok())
                         done(convert(asked->reply));
                     else
                         done(fail(from_status(status, whom)));
                 });
                 live->remove(key);
             });
    }

    void hello(const Target& target, Callback<Hello> done) {
        wire::HelloRequest request;
        request.set_name(identity.name);
        ask<wire::HelloReply>(
            target, std::move(request), kHelloTimeout,
            [](auto& stub, auto... args) { stub.async()->Hello(args...); },
            [](const wire::HelloReply& reply) -> Result<Hello> {
                return Hello{reply.cluster_id(), reply.name(), reply.version(), {reply.wall_ms()}};
            },
            std::move(done));
    }
};

PeerClient::PeerClient(Identity identity, Resolve resolve, Problem problem, Executor& executor)
    : impl_(std::make_shared<Impl>(std::move(identity), std::move(resolve), std::move(problem),
                                   executor)) {}

PeerClient::~PeerClient() { impl_->live->close(); }

void PeerClient::set_identity(Identity identity) {
    impl_->identity = std::move(identity);
    impl_->stubs.clear();
}

void PeerClient::hello_at(const std::string& address, Callback<Hello> done) {
    impl_->hello(impl_->at(address), std::move(done));
}

void PeerClient::hello(const std::string& name, Callback<Hello> done) {
    const auto target = impl_->named(name);
    if (!target) return impl_->refuse(target.error(), std::move(done));
    impl_->hello(*target, std::move(done));
}

void PeerClient::join_at(const std::string& address, const JoinRequest& request,
                         Callback<JoinReply> done) {
    impl_->ask<wire::JoinReply>(
        impl_->at(address), to_wire(request), kPeerCallTimeout,
        [](auto& stub, auto... args) { stub.async()->Join(args...); },
        [](const wire::JoinReply& reply) -> Result<JoinReply> {
            return JoinReply{reply.certificate_pem(),
                             reply.authority_pem(),
                             {reply.etcd_endpoints().begin(), reply.etcd_endpoints().end()},
                             {reply.lease_ttl_ms()}};
        },
        std::move(done));
}

void PeerClient::renew(const std::string& name, const std::string& request_pem,
                       Callback<std::string> done) {
    const auto target = impl_->named(name);
    if (!target) return impl_->refuse(target.error(), std::move(done));
    wire::RenewRequest request;
    request.set_request_pem(request_pem);
    impl_->ask<wire::RenewReply>(
        *target, std::move(request), kPeerCallTimeout,
        [](auto& stub, auto... args) { stub.async()->Renew(args...); },
        [](const wire::RenewReply& reply) -> Result<std::string> {
            return reply.certificate_pem();
        },
        std::move(done));
}

void PeerClient::voter_key(const std::string& name, Callback<std::string> done) {
    const auto target = impl_->named(name);
    if (!target) return impl_->refuse(target.error(), std::move(done));
    impl_->ask<wire::VoterKeyReply>(
        *target, wire::VoterKeyRequest(), kPeerCallTimeout,
        [](auto& stub, auto... args) { stub.async()->GetVoterKey(args...); },
        [](const wire::VoterKeyReply& reply) -> Result<std::string> { return reply.voter_key(); },
        std::move(done));
}

void PeerClient::fetch_blob_part(const std::string& name, const std::string& sha256,
                                 std::uint64_t offset, std::uint64_t length,
                                 Callback<BlobPart> done) {
    const auto target = impl_->named(name);
    if (!target) return impl_->refuse(target.error(), std::move(done));
    wire::FetchBlobRequest request;
    request.set_sha256(sha256);
    request.set_offset(offset);
    request.set_length(std::min(length, kBlobPartBytesMax));
    auto* call = new BlobPartCall(impl_->live, impl_->executor, target->whom, std::move(request),
                                  std::move(done));
    call->start(*target->stub);  // it deletes itself
}

void PeerClient::forward(const std::string& name, const api::Request& request, bool wants_socket,
                         std::shared_ptr<api::Responder> responder) {
    const auto target = impl_->named(name);
    if (!target) return responder->send(impl_->problem(target.error()));
    const auto call = std::make_shared<ForwardAsk>(impl_->live, impl_->executor, target->whom,
                                                   std::move(responder), impl_->problem);
    call->start(*target->stub, to_wire(request, wants_socket, impl_->identity.name));
}

}  // namespace blixard::cluster
