// The way to an etcd cluster: a kept channel to each member, one of them in use; a member that does
// not answer is left for the next. One thread drives all calls (a gRPC completion queue); what is
// called back here is called on it. Includes gRPC: for this folder's sources only.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "etcd/etcdserver/etcdserverpb/rpc.grpc.pb.h"
#include "store/etcd/etcd_options.h"

namespace blixard::store {

namespace pb = etcdserverpb;

// What a completion queue gives back.
class Completion {
 public:
    virtual ~Completion() = default;
    virtual void complete(bool ok) = 0;  // queue's thread
};

struct Endpoint {
    std::size_t index = 0;
    std::string address;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<pb::KV::Stub> kv;
    std::unique_ptr<pb::Watch::Stub> watch;
    std::unique_ptr<pb::Lease::Stub> lease;
    std::unique_ptr<pb::Maintenance::Stub> maintenance;
    std::unique_ptr<pb::Cluster::Stub> cluster;

    Endpoint(std::size_t index, std::string address,
             const std::shared_ptr<grpc::ChannelCredentials>& credentials);
};

std::shared_ptr<grpc::ChannelCredentials> credentials_of(const EtcdOptions& options);

// A call that is under way, so that it can be cancelled when its member is left, or the store is
// closed.
class Cancellable {
 public:
    virtual ~Cancellable() = default;
    virtual void cancel() = 0;  // any thread, while it is registered
    virtual std::size_t endpoint() const = 0;
    // True for what a leader may have lost when it went, if it was asked before `time`.
    virtual bool asked_before(std::chrono::steady_clock::time_point time) const { return false; }
};

// How a request may be treated when its answer is lost.
enum class Again {
    kSafe,   // asking twice is harmless
    kNever,  // asking twice could do it twice: the outcome is unknown
};

// What an etcd status means for the caller.
enum class Verdict {
    kDone,
    kRefused,      // a definite answer: it did not happen
    kNotHappened,  // did not happen, and another attempt may help
    kUnknown,      // may have happened
};
Verdict verdict_of(const grpc::Status& status);
Error error_of(const grpc::Status& status);

class Connection {
 public:
    Connection(EtcdOptions options, Log& log);
    ~Connection();  // shut_down() was called before, by the owner

    // Nothing starts any more, everything under way is cancelled; returns when the queue's thread
    // has ended.
    void shut_down();

    // The member in use if its channel is connected, else null (and connecting goes on).
    Endpoint* ready();
    // The leader, if it is known, among our members, and connected: it answers a renewal itself,
    // where another member has to ask it over HTTP. Else, and after leader_is_silent(), null.
    Endpoint* ready_leader();
    // For a while the leader is not asked directly.
    void leader_is_silent();
    // A member that says this term has yet to hear of an election that this connection knows of:
    // what it answers by itself may be a deposed leader's word.
    bool is_behind(std::uint64_t term);
    // The member does not do its work: others are tried, and what is under way there is cancelled.
    void leave(std::size_t endpoint, std::string_view why);

    // Runs `start`, which begins one operation on the queue, unless shutting down.
    bool begin(const std::function<void()>& start);
    // Runs `task` on the queue's thread, `delay` from now, or at once when shutting down. False: it
    // will not run.
    bool after(Millis delay, std::function<void()> task);
    // The calls under way: add within begin(), remove when complete; cancel does nothing to one
    // that is not.
    void add(Cancellable& call);
    void remove(Cancellable& call);
    void cancel(Cancellable& call);

    grpc::CompletionQueue& queue() { return queue_; }
    const EtcdOptions& options() const { return options_; }
    Log& log() { return log_; }

 private:
    class Timer;

    void run();
    void probe();
    void probed(std::size_t endpoint, const grpc::Status& status,
                const pb::StatusResponse& response);
    void see_term(std::uint64_t term);
    void note_member(std::size_t endpoint, const pb::StatusResponse& response);
    void note_leader(std::uint64_t leader);
    Endpoint* stranger();
    void give_up_asked_before(std::chrono::steady_clock::time_point time);
    void schedule_probe();

    const EtcdOptions options_;
    Log& log_;
    std::vector<std::unique_ptr<Endpoint>> endpoints_;
    grpc::CompletionQueue queue_;

    std::mutex mutex_;  // guards all below
    bool stopping_ = false;
    std::size_t current_ = 0;
    int strikes_ = 0;                        // unanswered probes in a row
    std::uint64_t term_ = 0;                 // of raft: rises with each election
    std::uint64_t leader_ = 0;               // its member id
    std::vector<std::uint64_t> member_ids_;  // by endpoint; 0: not known yet
    std::chrono::steady_clock::time_point leader_silent_until_{};
    std::chrono::steady_clock::time_point left_at_{};
    std::set<Cancellable*> calls_;
    std::set<Timer*> timers_;

    std::thread thread_;
};

using Steady = std::chrono::steady_clock;

// For gRPC, which would count by the wall clock otherwise: one that is set makes no request wait.
inline gpr_timespec deadline_in(Millis span) {
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_millis(span.count, GPR_TIMESPAN));
}

inline Millis until(Steady::time_point time) {
    return {std::chrono::duration_cast<std::chrono::milliseconds>(time - Steady::now()).count()};
}

}  // namespace blixard::store
