#include "cluster/peer_forward.h"

#include <fcntl.h>
#include <unistd.h>

namespace blixard::cluster {
namespace {

constexpr std::size_t kEarlyMessagesMax = 256;

class ForwardStream final : public api::Stream {
 public:
    explicit ForwardStream(std::shared_ptr<ForwardCall> call) : call_(std::move(call)) {}
    bool write(std::string_view bytes) override { return call_->send_data(bytes); }
    void close() override { call_->finish(grpc::Status::OK); }
    void on_closed(std::function<void()> closed) override { call_->on_closed(std::move(closed)); }

 private:
    std::shared_ptr<ForwardCall> call_;
};

class ForwardSocket final : public api::Socket {
 public:
    explicit ForwardSocket(std::shared_ptr<ForwardCall> call) : call_(std::move(call)) {}
    bool send(std::string_view bytes) override { return call_->send_data(bytes); }
    void close(std::string_view) override { call_->finish(grpc::Status::OK); }
    void on_message(std::function<void(std::string_view)> message) override {
        call_->on_message(std::move(message));
    }
    void on_closed(std::function<void()> closed) override { call_->on_closed(std::move(closed)); }

 private:
    std::shared_ptr<ForwardCall> call_;
};

class ForwardResponder final : public api::Responder {
 public:
    explicit ForwardResponder(std::shared_ptr<ForwardCall> call) : call_(std::move(call)) {}
    void send(api::Response response) override { call_->send(std::move(response)); }
    std::shared_ptr<api::Stream> start_stream(api::Response head) override {
        call_->send_head(head, wire::ResponseHead::STREAM);
        return std::make_shared<ForwardStream>(call_);
    }
    std::shared_ptr<api::Socket> accept_socket() override {
        if (!call_->wants_socket()) return nullptr;
        call_->send_head({}, wire::ResponseHead::SOCKET);
        return std::make_shared<ForwardSocket>(call_);
    }
    bool gone() const override { return call_->gone(); }

 private:
    std::shared_ptr<ForwardCall> call_;
};

}  // namespace

ForwardCall* ForwardCall::start(Executor& executor, api::Service* service, std::string caller) {
    std::shared_ptr<ForwardCall> call(new ForwardCall(executor, service));
    call->self_ = call;
    call->caller_ = std::move(caller);
    call->StartRead(&call->in_);
    return call.get();
}

void ForwardCall::OnReadDone(bool ok) {
    auto self = shared_from_this();
    if (!ok) {
        executor_.post([self] { self->close_from_client(); });
        return;
    }
    if (in_.has_request() && !begun_) {
        begun_ = true;
        executor_.post([self, head = std::move(*in_.mutable_request())]() mutable {
            self->begin(std::move(head));
        });
    } else if (in_.has_data()) {
        executor_.post([self, data = std::move(*in_.mutable_data())]() mutable {
            self->deliver(std::move(data));
        });
    }
    in_.Clear();
    StartRead(&in_);
}

void ForwardCall::begin(wire::RequestHead head) {
    if (service_ == nullptr) {
        finish(to_status(
            {ErrorCode::kUnsupported, "this host answers no forwarded requests", {}, {}}));
        return;
    }
    wants_socket_ = head.wants_socket();
    api::Request request = from_wire(std::move(head));
    service_->handle(std::move(request), std::make_shared<ForwardResponder>(shared_from_this()));
}

void ForwardCall::deliver(std::string data) {
    if (message_)
        message_(data);
    else if (early_messages_.size() < kEarlyMessagesMax)
        early_messages_.push_back(std::move(data));
}

void ForwardCall::on_message(std::function<void(std::string_view)> message) {
    message_ = std::move(message);
    for (const std::string& data : std::exchange(early_messages_, {})) message_(data);
}

void ForwardCall::on_closed(std::function<void()> closed) {
    closed_ = std::move(closed);
    if (client_closed_) close_from_client();
}

void ForwardCall::close_from_client() {
    client_closed_ = true;
    if (closed_ && !std::exchange(closed_told_, true)) closed_();
    if (wants_socket_ || gone()) finish(grpc::Status::OK);
}

void ForwardCall::send(api::Response response) {
    if (response.file) {
        send_file(response);
        return;
    }
    send_head(response, wire::ResponseHead::COMPLETE);
    finish(grpc::Status::OK);
}

void ForwardCall::send_head(const api::Response& response, wire::ResponseHead::Kind kind) {
    wire::ForwardFrame frame;
    *frame.mutable_response() = to_wire(response, kind);
    push(std::move(frame));
}

// The file is read piece by piece as the other side takes it.
void ForwardCall::send_file(const api::Response& response) {
    os::UniqueFd file(::open(response.file->path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        finish(to_status({ErrorCode::kInternal, "cannot open " + response.file->path, {}, {}}));
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        file_ = std::move(file);
        file_at_ = response.file->offset;
        file_end_ = response.file->offset + response.file->length;
    }
    send_head(response, wire::ResponseHead::STREAM);
    finish(grpc::Status::OK);
}

// True: there is a next frame to write. mutex_ held.
bool ForwardCall::refill_from_file() {
    if (!file_ || file_at_ >= file_end_) return false;
    std::string bytes(std::min<std::uint64_t>(kPeerDataBytes, file_end_ - file_at_), '\0');
    const ssize_t got =
        ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(file_at_));
    if (got <= 0) {
        file_.reset();
        final_status_ = to_status({ErrorCode::kInternal, "the file ended early", {}, {}});
        return false;
    }
    bytes.resize(static_cast<std::size_t>(got));
    file_at_ += static_cast<std::uint64_t>(got);
    out_.emplace_back().set_data(std::move(bytes));
    return true;
}

bool ForwardCall::send_data(std::string_view bytes) {
    {
        const std::lock_guard lock(mutex_);
        if (gone_ || finishing_) return false;
        if (out_bytes_ + bytes.size() > kPeerBacklogBytesMax) {
            gone_ = true;
            return false;
        }
    }
    wire::ForwardFrame frame;
    frame.set_data(bytes.data(), bytes.size());
    push(std::move(frame));
    return true;
}

void ForwardCall::push(wire::ForwardFrame frame) {
    const std::lock_guard lock(mutex_);
    if (gone_ || finished_) return;
    out_bytes_ += frame.data().size();
    out_.push_back(std::move(frame));
    write_next();
}

void ForwardCall::write_next() {
    if (writing_ || finished_) return;
    if (out_.empty() && !gone_) refill_from_file();
    if (!out_.empty() && !gone_) {
        writing_ = true;
        StartWrite(&out_.front());
        return;
    }
    if (!finishing_) return;
    finished_ = true;
    Finish(final_status_);
}

void ForwardCall::OnWriteDone(bool ok) {
    const std::lock_guard lock(mutex_);
    writing_ = false;
    out_bytes_ -= out_.front().data().size();
    out_.pop_front();
    if (!ok) gone_ = true;
    write_next();
}

void ForwardCall::finish(grpc::Status status) {
    const std::lock_guard lock(mutex_);
    if (finishing_) return;
    finishing_ = true;
    final_status_ = std::move(status);
    write_next();
}

bool ForwardCall::gone() const {
    const std::lock_guard lock(mutex_);
    return gone_ || finished_;
}

// Ends the call even if the service never answers: gRPC waits for Finish when it shuts down.
void ForwardCall::OnCancel() {
    auto self = shared_from_this();
    {
        const std::lock_guard lock(mutex_);
        gone_ = true;
        finishing_ = true;
        final_status_ = grpc::Status::CANCELLED;
        write_next();
    }
    executor_.post([self] { self->close_from_client(); });
}

void ForwardCall::OnDone() {
    // Frees what the service may hold in its callbacks, on the executor where it belongs.
    executor_.post([self = std::move(self_)] {
        self->closed_ = nullptr;
        self->message_ = nullptr;
    });
}

}  // namespace blixard::cluster
