#include "store/etcd/connection.h"

#include <absl/synchronization/mutex.h>

#include <algorithm>

namespace blixard::store {
namespace {

constexpr int kStrikes = 2;  // probes without an answer before a member is left
// How long what was asked of the leader before is still waited for: a proposal that died with it is
// never answered.
constexpr Millis kLeaderGrace{300};
constexpr std::chrono::seconds kLeaderSilence{10};  // before it is asked directly again
constexpr std::chrono::milliseconds kLeavePause{
    300};  // so that a cluster without a leader is not run around in

grpc::ChannelArguments arguments() {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(
        -1);  // a page of a range and a watch's catch-up may be large
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES,
                     0);  // whether asking twice is safe is decided here, not there
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 500);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                     10'000);  // etcd refuses pings more often than every 5 s
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 2'000);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return arguments;
}

bool any_of(const std::string& text, std::initializer_list<const char*> options) {
    for (const char* option : options) {
        if (text == option) return true;
    }
    return false;
}

}  // namespace

Endpoint::Endpoint(std::size_t number, std::string where,
                   const std::shared_ptr<grpc::ChannelCredentials>& credentials)
    : index(number),
      address(std::move(where)),
      channel(grpc::CreateCustomChannel(address, credentials, arguments())),
      kv(pb::KV::NewStub(channel)),
      watch(pb::Watch::NewStub(channel)),
      lease(pb::Lease::NewStub(channel)),
      maintenance(pb::Maintenance::NewStub(channel)),
      cluster(pb::Cluster::NewStub(channel)) {}

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const EtcdOptions& options) {
    if (!options.tls) return grpc::InsecureChannelCredentials();
    return grpc::SslCredentials({options.tls->ca, options.tls->key, options.tls->certificate});
}

// The texts are those of etcd's api/v3rpc/rpctypes/error.go.
Verdict verdict_of(const grpc::Status& status) {
    switch (status.error_code()) {
        case grpc::StatusCode::OK: return Verdict::kDone;
        case grpc::StatusCode::INVALID_ARGUMENT:
        case grpc::StatusCode::NOT_FOUND:
        case grpc::StatusCode::OUT_OF_RANGE:
        case grpc::StatusCode::FAILED_PRECONDITION:
        case grpc::StatusCode::PERMISSION_DENIED:
        case grpc::StatusCode::UNAUTHENTICATED:
        case grpc::StatusCode::UNIMPLEMENTED: return Verdict::kRefused;
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
            return status.error_message() == "etcdserver: too many requests" ? Verdict::kNotHappened
                                                                             : Verdict::kRefused;
        case grpc::StatusCode::UNAVAILABLE:
            return any_of(status.error_message(),
                          {"etcdserver: no leader", "etcdserver: unhealthy cluster",
                           "etcdserver: not capable", "etcdserver: rpc not supported for learner"})
                       ? Verdict::kNotHappened
                       : Verdict::kUnknown;
        default: return Verdict::kUnknown;
    }
}

Error error_of(const grpc::Status& status) {
    const std::string text = status.error_message();
    switch (status.error_code()) {
        case grpc::StatusCode::NOT_FOUND: return {ErrorCode::kNotFound, text};
        case grpc::StatusCode::OUT_OF_RANGE:
            return {text.ends_with("compacted") ? ErrorCode::kCompacted : ErrorCode::kInvalid,
                    text};
        case grpc::StatusCode::INVALID_ARGUMENT:
            return {text.ends_with("too large") ? ErrorCode::kTooLarge : ErrorCode::kInvalid, text};
        case grpc::StatusCode::FAILED_PRECONDITION: return {ErrorCode::kConflict, text};
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
            return {
                ErrorCode::kExhausted, text, {}, "compact and defragment etcd, or raise its quota"};
        case grpc::StatusCode::PERMISSION_DENIED: return {ErrorCode::kDenied, text};
        case grpc::StatusCode::UNAUTHENTICATED: return {ErrorCode::kUnauthenticated, text};
        case grpc::StatusCode::UNIMPLEMENTED: return {ErrorCode::kUnsupported, text};
        default: return {ErrorCode::kUnavailable, "etcd: " + text};
    }
}

class Connection::Timer final : public Completion {
 public:
    Timer(Connection& connection, std::function<void()> task)
        : connection_(connection), task_(std::move(task)) {}
    void complete(bool) override {
        {
            std::lock_guard lock(connection_.mutex_);
            connection_.timers_.erase(this);
        }
        task_();
        delete this;
    }
    grpc::Alarm alarm;

 private:
    Connection& connection_;
    std::function<void()> task_;
};

Connection::Connection(EtcdOptions options, Log& log) : options_(std::move(options)), log_(log) {
    // Debian's Abseil is built with its debugging aids: every lock that gRPC takes would be entered
    // in a graph of the whole process, behind a lock of its own.
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
    const auto credentials = credentials_of(options_);
    member_ids_.resize(options_.endpoints.size());
    for (const std::string& address : options_.endpoints) {
        endpoints_.push_back(std::make_unique<Endpoint>(endpoints_.size(), address, credentials));
        endpoints_.back()->channel->GetState(true);
    }
    thread_ = std::thread([this] { run(); });
    schedule_probe();
}

Connection::~Connection() { shut_down(); }

void Connection::shut_down() {
    {
        std::lock_guard lock(mutex_);
        if (stopping_) return;
        stopping_ = true;
        for (Cancellable* call : calls_) call->cancel();
        for (Timer* timer : timers_) timer->alarm.Cancel();
        queue_.Shutdown();
    }
    thread_.join();
}

void Connection::run() {
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) static_cast<Completion*>(tag)->complete(ok);
}

bool Connection::begin(const std::function<void()>& start) {
    std::lock_guard lock(mutex_);
    if (stopping_) return false;
    start();
    return true;
}

bool Connection::after(Millis delay, std::function<void()> task) {
    return begin([&] {
        auto* timer = new Timer(*this, std::move(task));  // deletes itself when it completes
        timers_.insert(timer);
        timer->alarm.Set(&queue_, deadline_in(delay), timer);
    });
}

// Within begin(): the lock is held.
void Connection::add(Cancellable& call) { calls_.insert(&call); }

void Connection::cancel(Cancellable& call) {
    std::lock_guard lock(mutex_);
    if (calls_.contains(&call)) call.cancel();
}

void Connection::remove(Cancellable& call) {
    std::lock_guard lock(mutex_);
    calls_.erase(&call);
}

Endpoint* Connection::ready() {
    std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
        Endpoint& endpoint = *endpoints_[(current_ + i) % endpoints_.size()];
        if (endpoint.channel->GetState(true) != GRPC_CHANNEL_READY) continue;
        if (i > 0) {
            strikes_ = 0;
            current_ = endpoint.index;
            log_.info("etcd member in use", {{"endpoint", endpoint.address}});
        }
        return &endpoint;
    }
    return nullptr;
}

Endpoint* Connection::ready_leader() {
    std::lock_guard lock(mutex_);
    if (leader_ == 0 || Steady::now() < leader_silent_until_) return nullptr;
    const auto found = std::find(member_ids_.begin(), member_ids_.end(), leader_);
    if (found == member_ids_.end()) return nullptr;
    Endpoint& leader = *endpoints_[static_cast<std::size_t>(found - member_ids_.begin())];
    return leader.channel->GetState(true) == GRPC_CHANNEL_READY ? &leader : nullptr;
}

void Connection::leader_is_silent() {
    std::lock_guard lock(mutex_);
    leader_silent_until_ = Steady::now() + kLeaderSilence;
}

bool Connection::is_behind(std::uint64_t term) {
    std::lock_guard lock(mutex_);
    return term < term_;
}

void Connection::leave(std::size_t endpoint, std::string_view why) {
    std::lock_guard lock(mutex_);
    if (stopping_ || endpoint != current_) return;
    strikes_ = 0;
    const auto now = std::chrono::steady_clock::now();
    if (endpoints_.size() == 1 || now - left_at_ < kLeavePause) return;
    left_at_ = now;
    log_.warn("etcd member left", {{"endpoint", endpoints_[endpoint]->address}, {"reason", why}});
    current_ = (endpoint + 1) % endpoints_.size();
    for (Cancellable* call : calls_) {
        if (call->endpoint() == endpoint) call->cancel();
    }
}

void Connection::schedule_probe() {
    after(options_.probe_interval, [this] { probe(); });
}

namespace {

// Asks one member how it is.
class Probe final : public Completion, public Cancellable {
 public:
    using Done = std::function<void(const grpc::Status&, const pb::StatusResponse&)>;
    Probe(Connection& connection, std::size_t endpoint, Done done)
        : connection_(connection), endpoint_(endpoint), done_(std::move(done)) {}

    void start(Endpoint& endpoint) {
        context_.set_deadline(deadline_in(connection_.options().probe_interval + Millis{100}));
        connection_.add(*this);
        reader_ = endpoint.maintenance->AsyncStatus(&context_, {}, &connection_.queue());
        reader_->Finish(&response_, &status_, this);
    }
    void complete(bool) override {
        connection_.remove(*this);
        done_(status_, response_);
        delete this;
    }
    void cancel() override { context_.TryCancel(); }
    std::size_t endpoint() const override { return endpoint_; }

 private:
    Connection& connection_;
    const std::size_t endpoint_;
    Done done_;
    grpc::ClientContext context_;
    pb::StatusResponse response_;
    grpc::Status status_;
    std::unique_ptr<grpc::ClientAsyncResponseReader<pb::StatusResponse>> reader_;
};

}  // namespace

void Connection::probe() {
    Endpoint* endpoint = ready();
    if (!endpoint) return schedule_probe();
    auto* probe = new Probe(*this, endpoint->index,
                            [this, index = endpoint->index](const grpc::Status& status,
                                                            const pb::StatusResponse& response) {
                                probed(index, status, response);
                                schedule_probe();
                            });  // deletes itself when it completes
    if (!begin([&] { probe->start(*endpoint); })) delete probe;
    Endpoint* unknown = stranger();
    if (!unknown) return;
    auto* question = new Probe(*this, unknown->index,
                               [this, index = unknown->index](const grpc::Status& status,
                                                              const pb::StatusResponse& response) {
                                   if (status.ok()) note_member(index, response);
                               });
    if (!begin([&] { question->start(*unknown); })) delete question;
}

void Connection::note_member(std::size_t endpoint, const pb::StatusResponse& response) {
    std::lock_guard lock(mutex_);
    member_ids_[endpoint] = response.header().member_id();
}

// As the member in use says. One that is none of those known may have taken the address of another.
void Connection::note_leader(std::uint64_t leader) {
    std::lock_guard lock(mutex_);
    if (leader_ == leader) return;
    leader_ = leader;
    if (std::find(member_ids_.begin(), member_ids_.end(), leader) == member_ids_.end())
        std::fill(member_ids_.begin(), member_ids_.end(), 0);
}

// One that may be the leader, while that is not known.
Endpoint* Connection::stranger() {
    std::lock_guard lock(mutex_);
    if (leader_ == 0 ||
        std::find(member_ids_.begin(), member_ids_.end(), leader_) != member_ids_.end())
        return nullptr;
    for (const auto& endpoint : endpoints_)
        if (member_ids_[endpoint->index] == 0 && endpoint->index != current_ &&
            endpoint->channel->GetState(true) == GRPC_CHANNEL_READY)
            return endpoint.get();
    return nullptr;
}

void Connection::probed(std::size_t endpoint, const grpc::Status& status,
                        const pb::StatusResponse& response) {
    if (status.ok()) {
        if (response.leader() == 0) return leave(endpoint, "it knows no leader");
        {
            std::lock_guard lock(mutex_);
            if (endpoint == current_) strikes_ = 0;
        }
        note_leader(response.leader());
        note_member(endpoint, response);
        return see_term(response.raftterm());
    }
    if (status.error_code() == grpc::StatusCode::CANCELLED) return;
    if (status.error_code() != grpc::StatusCode::DEADLINE_EXCEEDED) {
        return leave(endpoint, status.error_message());
    }
    bool silent = false;
    {
        std::lock_guard lock(mutex_);
        if (endpoint == current_) silent = ++strikes_ >= kStrikes;
    }
    if (silent) leave(endpoint, "it does not answer");
}

void Connection::see_term(std::uint64_t term) {
    bool elected = false;
    {
        std::lock_guard lock(mutex_);
        elected = term_ != 0 && term > term_;
        term_ = std::max(term_, term);
    }
    if (!elected) return;
    after(kLeaderGrace,
          [this, now = std::chrono::steady_clock::now()] { give_up_asked_before(now); });
}

void Connection::give_up_asked_before(std::chrono::steady_clock::time_point time) {
    std::lock_guard lock(mutex_);
    for (Cancellable* call : calls_) {
        if (call->asked_before(time)) call->cancel();
    }
}

}  // namespace blixard::store
