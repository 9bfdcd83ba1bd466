// Renews leases by one question and one answer at a time on a keep-alive stream, which is kept for
// the next one: etcd has more work with a stream that opens than with a renewal. The leader is
// asked where it is known (another member asks it anew for each, over HTTP), and the member in use
// where the leader does not answer soon. Includes gRPC: for this folder's sources only. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "store/etcd/connection.h"
#include "store/store.h"

namespace blixard::store {

class Renewals {
 public:
    using Done = std::function<void(Result<pb::LeaseKeepAliveResponse>)>;

    // `connection` is shut down before this ends, and outlives it.
    explicit Renewals(Connection& connection);
    ~Renewals();

    // Asks until there is an answer, or the request's time is over. `done` is called once, on the
    // queue's thread (or on the caller's, if the store is being closed).
    void ask(LeaseId lease, Done done);

 private:
    class Stream;
    struct Question {
        LeaseId lease = 0;
        Steady::time_point deadline;
        Done done;
        bool may_ask_leader = true;  // not where it has let this one down already
        bool is_at_leader = false;   // directly, beside the member in use
        Steady::time_point leader_deadline;
    };
    using QuestionPtr = std::shared_ptr<Question>;

    void attempt(const QuestionPtr& question);
    void attempt_later(const QuestionPtr& question, Error error);
    void watch_over();
    void look();
    std::unique_ptr<Stream> take_idle(std::size_t endpoint);

    Connection& connection_;
    std::mutex mutex_;  // guards the three below
    std::vector<std::unique_ptr<Stream>> idle_;
    std::unordered_map<const Question*, Stream*> under_way_;
    bool is_watching_ = false;  // look() is due
};

}  // namespace blixard::store
