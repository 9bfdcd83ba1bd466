// The transactions on their way to etcd: combined, sent, taken apart again. Includes gRPC: for this
// folder's sources only. Any thread.
#pragma once

#include <memory>
#include <mutex>

#include "store/etcd/combine.h"
#include "store/etcd/connection.h"

namespace blixard::store {

class Commits : public std::enable_shared_from_this<Commits> {
 public:
    Commits(std::shared_ptr<Connection> connection, Executor& executor, const Clock& clock)
        : connection_(std::move(connection)), executor_(executor), clock_(clock) {}

    void submit(Transaction transaction, Callback<Committed> done);
    // Answers what was not sent yet with kUnavailable; the rest is answered as the connection shuts
    // down.
    void close();

 private:
    void send();
    void send(WaitingGroup group);
    void answered(const WaitingGroup& group, Result<pb::TxnResponse> response);
    void answer(WaitingList list, std::vector<Result<Committed>> answers);
    void answer_all(WaitingList list, const Error& error);

    const std::shared_ptr<Connection> connection_;
    Executor& executor_;
    const Clock& clock_;
    std::mutex mutex_;  // guards the two below
    Combiner combiner_;
    int groups_in_flight_ = 0;
};

}  // namespace blixard::store
