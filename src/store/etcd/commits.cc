#include "store/etcd/commits.h"

#include "store/etcd/unary.h"

namespace blixard::store {
namespace {

// Groups under way at once. With one, a group waits for the whole round trip of the one before;
// with many, groups stay small. Two keep etcd busy while answers travel.
constexpr int kGroupsInFlight = 2;

void fill(pb::TxnRequest& request, const Transaction& transaction) {
    for (const Compare& compare : transaction.compares) {
        auto& out = *request.add_compare();
        out.set_key(compare.key);
        out.set_result(pb::Compare::EQUAL);
        out.set_target(pb::Compare::MOD);
        out.set_mod_revision(compare.mod_revision);
    }
    for (const Put& put : transaction.puts) {
        auto& out = *request.add_success()->mutable_request_put();
        out.set_key(put.key);
        out.set_value(put.value);
        out.set_lease(put.lease);
    }
    for (const std::string& key : transaction.deletes) {
        request.add_success()->mutable_request_delete_range()->set_key(key);
    }
}

pb::TxnRequest request_of(const WaitingGroup& group) {
    pb::TxnRequest request;
    if (group.size() == 1) {
        fill(request, group[0]->transaction);
        return request;
    }
    for (const WaitingPtr& waiting : group) {
        fill(*request.add_success()->mutable_request_txn(), waiting->transaction);
    }
    return request;
}

std::vector<Result<Committed>> answers_of(const WaitingGroup& group,
                                          const pb::TxnResponse& response) {
    const Revision revision = response.header().revision();
    if (group.size() == 1) return {Committed{response.succeeded(), revision}};
    std::vector<Result<Committed>> answers;
    for (int i = 0; i < static_cast<int>(group.size()); ++i) {
        answers.push_back(Committed{response.responses(i).response_txn().succeeded(), revision});
    }
    return answers;
}

}  // namespace

void Commits::submit(Transaction transaction, Callback<Committed> done) {
    auto waiting = std::make_shared<Waiting>();
    waiting->transaction = std::move(transaction);
    waiting->done = std::move(done);
    waiting->deadline = clock_.mono() + connection_->options().request_timeout;
    {
        std::lock_guard lock(mutex_);
        if (!combiner_.full()) {
            combiner_.add(std::move(waiting));
            waiting = nullptr;
        }
    }
    if (waiting)
        return answer_all({waiting}, {ErrorCode::kExhausted, "too many writes wait for etcd"});
    send();
}

void Commits::send() {
    for (;;) {
        WaitingGroup group;
        WaitingGroup late;
        {
            std::lock_guard lock(mutex_);
            if (groups_in_flight_ >= kGroupsInFlight) return;
            late = combiner_.expired(clock_.mono());
            group = combiner_.next();
            if (!group.empty()) ++groups_in_flight_;
        }
        answer_all(late, {ErrorCode::kUnavailable, "etcd did not get to this write in time"});
        if (group.empty()) return;
        send(std::move(group));
    }
}

void Commits::send(WaitingGroup group) {
    using Call = Unary<pb::TxnRequest, pb::TxnResponse>;
    pb::TxnRequest request = request_of(group);
    Call::ask(
        *connection_,
        [](Endpoint& endpoint, grpc::ClientContext* context, const pb::TxnRequest& txn,
           grpc::CompletionQueue* queue) { return endpoint.kv->AsyncTxn(context, txn, queue); },
        std::move(request), Again::kNever, Millis{0},
        [self = shared_from_this(), group = std::move(group)](Result<pb::TxnResponse> response) {
            self->answered(group, std::move(response));
        });
}

void Commits::answered(const WaitingGroup& group, Result<pb::TxnResponse> response) {
    const bool split = !response && group.size() > 1 &&
                       response.error().code != ErrorCode::kUnknownOutcome &&
                       response.error().code != ErrorCode::kUnavailable;
    {
        std::lock_guard lock(mutex_);
        --groups_in_flight_;
        split ? combiner_.add_again(group) : combiner_.finished(group);
    }
    if (response) {
        answer(group, answers_of(group, *response));
    } else if (!split) {
        answer_all(group, response.error());
    }
    send();
}

void Commits::answer(const WaitingGroup& group, std::vector<Result<Committed>> answers) {
    executor_.post([group, answers = std::move(answers)]() mutable {
        for (std::size_t i = 0; i < group.size(); ++i) group[i]->done(std::move(answers[i]));
    });
}

void Commits::answer_all(const WaitingGroup& group, const Error& error) {
    if (!group.empty()) answer(group, std::vector<Result<Committed>>(group.size(), fail(error)));
}

void Commits::close() {
    WaitingGroup rest;
    {
        std::lock_guard lock(mutex_);
        rest = combiner_.take_all();
    }
    answer_all(rest, {ErrorCode::kUnavailable, "the store is closed"});
}

}  // namespace blixard::store
