#include "store/etcd/commits.h"

#include "base/assert.h"
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

// One stands by itself; of more, each is nested in its bundle.
void fill(pb::TxnRequest& request, const WaitingList& bundle) {
    if (bundle.size() == 1) return fill(request, bundle[0]->transaction);
    for (const WaitingPtr& waiting : bundle)
        fill(*request.add_success()->mutable_request_txn(), waiting->transaction);
}

pb::TxnRequest request_of(const WaitingGroup& group) {
    pb::TxnRequest request;
    if (group.size() == 1) {
        fill(request, group[0]);
        return request;
    }
    for (const WaitingList& bundle : group)
        fill(*request.add_success()->mutable_request_txn(), bundle);
    return request;
}

// Only the outermost answer has a header that can be relied upon.
void take_answers(const WaitingList& bundle, const pb::TxnResponse& response, Revision revision,
                  std::vector<Result<Committed>>& answers) {
    if (bundle.size() == 1) return answers.push_back(Committed{response.succeeded(), revision});
    for (const pb::ResponseOp& one : response.responses())
        answers.push_back(Committed{one.response_txn().succeeded(), revision});
}

// In the order of flat(group).
std::vector<Result<Committed>> answers_of(const WaitingGroup& group,
                                          const pb::TxnResponse& response) {
    const Revision revision = response.header().revision();
    std::vector<Result<Committed>> answers;
    answers.reserve(size_of(group));
    if (group.size() == 1) {
        take_answers(group[0], response, revision, answers);
    } else {
        for (std::size_t i = 0; i < group.size(); ++i)
            take_answers(group[i], response.responses(static_cast<int>(i)).response_txn(), revision,
                         answers);
    }
    ASSERT(answers.size() == size_of(group));
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
        WaitingList late;
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
    const bool split = !response && size_of(group) > 1 &&
                       response.error().code != ErrorCode::kUnknownOutcome &&
                       response.error().code != ErrorCode::kUnavailable;
    {
        std::lock_guard lock(mutex_);
        --groups_in_flight_;
        split ? combiner_.add_again(group) : combiner_.finished(group);
    }
    if (response) {
        answer(flat(group), answers_of(group, *response));
    } else if (!split) {
        answer_all(flat(group), response.error());
    }
    send();
}

void Commits::answer(WaitingList list, std::vector<Result<Committed>> answers) {
    executor_.post([list = std::move(list), answers = std::move(answers)]() mutable {
        for (std::size_t i = 0; i < list.size(); ++i) list[i]->done(std::move(answers[i]));
    });
}

void Commits::answer_all(WaitingList list, const Error& error) {
    if (list.empty()) return;
    std::vector<Result<Committed>> answers(list.size(), fail(error));
    answer(std::move(list), std::move(answers));
}

void Commits::close() {
    WaitingList rest;
    {
        std::lock_guard lock(mutex_);
        rest = combiner_.take_all();
    }
    answer_all(rest, {ErrorCode::kUnavailable, "the store is closed"});
}

}  // namespace blixard::store
