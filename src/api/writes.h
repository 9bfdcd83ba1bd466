// Every write of the API: one transaction that counts on all that its decision looked at. Where
// something changed in between, the decision is made again from the newer state; where the store
// cannot say whether it happened, that is found out; and the answer waits until this daemon's view
// shows what was written.
//
// Threads: everything on the API's executor.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "api/crossing.h"
#include "api/draft.h"
#include "api/idempotency.h"
#include "api/ports.h"

namespace blixard::api {

// A write that is done.
struct Done {
    Subject subject;
    std::string uid;
    store::Revision revision = 0;  // of the transaction; of the state, where nothing had to change
    bool changed = false;
    bool repeated = false;    // the same request was answered before: nothing was done now
    view::SnapshotPtr state;  // at `revision` or later
};

class Writes {
 public:
    Writes(const Deps& deps, Crossing& crossing) : deps_(deps), crossing_(crossing) {}

    // Errors: those of `decide`; kConflict: others changed the same things too often meanwhile;
    // kUnavailable, kExhausted: did not happen; kUnknownOutcome: may have happened.
    void run(Decide decide, Idempotency idempotency, Callback<Done> done);

 private:
    struct Job {
        Decide decide;
        Idempotency idempotency;
        Callback<Done> done;
        Draft draft;
        int attempts = 0;
        int unknown = 0;   // answers that did not say whether it happened
        std::string lane;  // the quota project whose turn this job has
        bool lease_renewed = false;
        bool current = false;  // the state it was decided from was the store's, after it was asked
    };
    using JobPtr = std::shared_ptr<Job>;
    // Writes against one quota, one at a time: many at once would only make each other fail.
    struct Lane {
        bool busy = false;
        std::deque<JobPtr> waiting;
    };

    void attempt_unless_repeated(const JobPtr& job);
    // `otherwise`: nothing is known of its key.
    void look_up_repeat(const JobPtr& job, std::function<void()> otherwise);
    void repeat(const JobPtr& job, const IdempotencyRecord& record);
    void attempt(const JobPtr& job);
    void answer_unchanged(const JobPtr& job, Result<Done> answer);
    bool take_turn(const JobPtr& job);
    void give_turn(const JobPtr& job);
    bool add_quota_guard(const JobPtr& job);
    bool add_idempotency(const JobPtr& job);
    void commit(const JobPtr& job);
    void committed(const JobPtr& job, const Result<store::Committed>& result);
    void happened(const JobPtr& job, store::Revision revision);
    void refused(const JobPtr& job, store::Revision revision);
    void failed(const JobPtr& job, const Error& error);
    static bool may_repeat(const Job& job);
    void look_for_proof(const JobPtr& job);
    void check_proof(const JobPtr& job, store::Revision revision);
    void look_again(const JobPtr& job, store::Revision revision);
    void finish(const JobPtr& job, Result<Done> result);
    void grant_lease(const JobPtr& job);

    const Deps& deps_;
    Crossing& crossing_;
    std::map<std::string, Lane> lanes_;
    std::map<std::string, store::Revision> quota_guards_;  // as last seen, by project
    store::LeaseId lease_ = 0;                             // keeps today's idempotency records
    MonoTime lease_until_{};                               // a new one is taken after this
};

}  // namespace blixard::api
