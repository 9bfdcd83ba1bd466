#include "api/writes.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/mutant.h"

namespace blixard::api {
namespace {

constexpr int kAttemptsMax = 10;  // a conflict each: by then somebody writes without end
constexpr int kUnknownMax =
    4;  // each after kUnknownPause: some seconds of a store without a leader
constexpr Millis kUnknownPause = Millis{300};
constexpr Millis kViewPatience = seconds(10);
constexpr std::size_t kLaneMax = 1000;        // writes that wait for one project's quota
constexpr Millis kLeaseUsed = seconds(3600);  // records of one hour share a lease

std::string quota_guard_key(const std::string& project) { return "locks/quota/" + project; }

bool counts_on(const Draft& draft, const std::string& key, store::Revision revision) {
    return std::ranges::any_of(draft.transaction.compares, [&](const store::Compare& compare) {
        return compare.key == key && compare.mod_revision == revision;
    });
}

// What the transaction would have written is there (or gone, where it is a deletion).
bool is_ours(const Draft& draft, const store::RangeResult& read) {
    const bool there = !read.items.empty() && read.items[0].key == draft.proof_key;
    const auto& puts = draft.transaction.puts;
    const auto put = std::ranges::find(puts, draft.proof_key, &store::Put::key);
    if (put == puts.end()) return !there;
    const std::string& proof = draft.proof_text.empty() ? put->value : draft.proof_text;
    return there && read.items[0].value.find(proof) != std::string::npos;
}

constexpr std::string_view kLookFirst =
    "look whether it is there before you ask again; with an Idempotency-Key you may simply ask "
    "again";

Error overwritten(const Draft& draft) {
    return {ErrorCode::kUnknownOutcome,
            fmt::format(
                "{}: the store did not say whether it happened, and others have changed it since",
                draft.subject.text()),
            {},
            std::string(kLookFirst)};
}

}  // namespace

void Writes::run(Decide decide, Idempotency idempotency, Callback<Done> done) {
    auto job = std::make_shared<Job>();
    job->decide = std::move(decide);
    job->idempotency = std::move(idempotency);
    job->done = std::move(done);
    attempt_unless_repeated(job);
}

// ---- the same request again ----

void Writes::attempt_unless_repeated(const JobPtr& job) {
    if (!job->idempotency) return attempt(job);
    look_up_repeat(job, [this, job] { attempt(job); });
}

void Writes::look_up_repeat(const JobPtr& job, std::function<void()> otherwise) {
    deps_.store.read(
        {.prefix = job->idempotency.store_key, .limit = 1},
        crossing_.back<store::RangeResult>(
            [this, job, otherwise = std::move(otherwise)](Result<store::RangeResult> read) {
                if (!read) return finish(job, fail(read.error()));
                const bool known =
                    !read->items.empty() && read->items[0].key == job->idempotency.store_key;
                if (!known) return otherwise();
                const auto record = parse_idempotency(read->items[0].value);
                if (!record) return finish(job, fail(record.error()));
                // What it made is shown, or it has gone since: not what lags behind.
                crossing_.when_at(read->revision, kViewPatience,
                                  [this, job, record = *record](Status at) {
                                      if (!at) return finish(job, fail(at.error()));
                                      repeat(job, record);
                                  });
            }));
}

void Writes::repeat(const JobPtr& job, const IdempotencyRecord& record) {
    if (record.digest != job->idempotency.digest && !mutant(MutantId::kKeyForOther))
        return finish(job,
                      fail(Error{ErrorCode::kConflict,
                                 "this Idempotency-Key was used for another request, about " +
                                     record.subject.text(),
                                 "Idempotency-Key", "take a new random key for each new request"}));
    const view::SnapshotPtr state = deps_.view.current();
    finish(job, Done{.subject = record.subject,
                     .uid = record.uid,
                     .revision = state->revision,
                     .repeated = true,
                     .state = state});
}

// False: a lease is being taken, and the job goes on after that.
bool Writes::add_idempotency(const JobPtr& job) {
    if (!job->idempotency || mutant(MutantId::kIdempotencyForgotten)) return true;
    if (lease_ == 0 || deps_.clock.mono() >= lease_until_) {
        grant_lease(job);
        return false;
    }
    Draft& draft = job->draft;
    draft.counts_on_absence(job->idempotency.store_key);
    draft.transaction.puts.push_back(
        {.key = job->idempotency.store_key,
         .value = to_json(IdempotencyRecord{job->idempotency.digest, draft.subject, draft.uid}),
         .lease = lease_});
    return true;
}

void Writes::grant_lease(const JobPtr& job) {
    deps_.store.grant_lease(
        kIdempotencyKept,
        crossing_.back<store::LeaseGrant>([this, job](Result<store::LeaseGrant> lease) {
            if (!lease) return finish(job, fail(lease.error()));
            lease_ = lease->id;
            lease_until_ = deps_.clock.mono() + kLeaseUsed;
            attempt(job);
        }));
}

// ---- deciding and committing ----

void Writes::attempt(const JobPtr& job) {
    const view::SnapshotPtr state = deps_.view.current();
    Result<Draft> draft = job->decide(*state);
    if (!draft) return answer_unchanged(job, fail(draft.error()));
    job->draft = std::move(*draft);
    // With a key its record is written all the same, which proves nothing about the state either.
    if (job->draft.transaction.empty() && (!job->idempotency || !job->current))
        return answer_unchanged(job, Done{.subject = job->draft.subject,
                                          .uid = job->draft.uid,
                                          .revision = state->revision,
                                          .state = state});
    if (!take_turn(job) || !add_quota_guard(job) || !add_idempotency(job)) return;
    commit(job);
}

// A refusal, or "it is so already", is an answer about the present state, and no compare proves it:
// the view may not have come to what another host has acknowledged. So it is decided once more from
// a state that the store had after the request came. And what stands in the way may be what this
// very request did when it was sent before, since its key was looked for.
void Writes::answer_unchanged(const JobPtr& job, Result<Done> answer) {
    const bool current = job->current || mutant(MutantId::kRefusedFromOld);
    if (current && !job->idempotency) return finish(job, std::move(answer));
    if (job->current)
        return look_up_repeat(job,
                              [this, job, answer = std::move(answer)] { finish(job, answer); });
    deps_.store.current_revision(
        crossing_.back<store::Revision>([this, job](Result<store::Revision> newest) {
            if (!newest) return finish(job, fail(newest.error()));
            crossing_.when_at(*newest, kViewPatience, [this, job](Status at) {
                if (!at) return finish(job, fail(at.error()));
                job->current = true;
                attempt(job);
            });
        }));
}

// False: others are before it, or there are too many of them; the job is seen to.
bool Writes::take_turn(const JobPtr& job) {
    const std::string& project = job->draft.quota_project;
    if (project.empty() || job->lane == project) return true;
    Lane& lane = lanes_[project];
    if (!lane.busy) {
        lane.busy = true;
        job->lane = project;
        return true;
    }
    if (lane.waiting.size() >= kLaneMax) {
        finish(job, fail(ErrorCode::kUnavailable,
                         fmt::format("{} writes wait for the quota of project \"{}\" already",
                                     kLaneMax, project),
                         "ask again in a moment"));
        return false;
    }
    lane.waiting.push_back(job);
    return false;
}

void Writes::give_turn(const JobPtr& job) {
    if (job->lane.empty()) return;
    const auto lane = lanes_.find(std::exchange(job->lane, {}));
    if (lane == lanes_.end()) return;
    if (lane->second.waiting.empty()) {
        if (!mutant(MutantId::kTurnKept)) lanes_.erase(lane);
        return;
    }
    const JobPtr next = std::move(lane->second.waiting.front());
    lane->second.waiting.pop_front();
    next->lane = lane->first;
    crossing_.here().post(crossing_.guarded([this, next] { attempt(next); }));
}

// The guard key is put by every write against the quota and counted on by each: two of them that
// decided from the same use cannot both happen. False: it is being read, and the job goes on after.
bool Writes::add_quota_guard(const JobPtr& job) {
    const std::string& project = job->draft.quota_project;
    if (project.empty() || mutant(MutantId::kQuotaUnguarded)) return true;
    const std::string key = quota_guard_key(project);
    if (const auto known = quota_guards_.find(project); known != quota_guards_.end()) {
        job->draft.counts_on(key, known->second).put(key, "{}");
        return true;
    }
    deps_.store.read({.prefix = key, .limit = 1},
                     crossing_.back<store::RangeResult>(
                         [this, job, key, project](Result<store::RangeResult> read) {
                             if (!read) return finish(job, fail(read.error()));
                             const bool there = !read->items.empty() && read->items[0].key == key;
                             const store::Revision seen = there ? read->items[0].mod_revision : 0;
                             crossing_.when_at(read->revision, kViewPatience,
                                               [this, job, project, seen](Status at) {
                                                   if (!at) return finish(job, fail(at.error()));
                                                   quota_guards_[project] = seen;
                                                   attempt(job);
                                               });
                         }));
    return false;
}

void Writes::commit(const JobPtr& job) {
    deps_.store.commit(job->draft.transaction, crossing_.back<store::Committed>(
                                                   [this, job](Result<store::Committed> result) {
                                                       committed(job, result);
                                                   }));
}

void Writes::committed(const JobPtr& job, const Result<store::Committed>& result) {
    if (!result) return failed(job, result.error());
    if (result->succeeded) return happened(job, result->revision);
    if (job->unknown > 0) return check_proof(job, result->revision);
    refused(job, result->revision);
}

void Writes::happened(const JobPtr& job, store::Revision revision) {
    const store::Revision seen = mutant(MutantId::kAnswerTooEarly) ? 0 : revision;
    crossing_.when_at(seen, kViewPatience, [this, job, revision](Status at) {
        if (!at) {
            Error late = at.error();
            late.message = fmt::format("stored at revision {}, but {}", revision, late.message);
            return finish(job, fail(std::move(late)));
        }
        if (!job->draft.quota_project.empty()) quota_guards_[job->draft.quota_project] = revision;
        finish(job, Done{.subject = job->draft.subject,
                         .uid = job->draft.uid,
                         .revision = revision,
                         .changed = true,
                         .state = deps_.view.current()});
    });
}

// A compare failed: somebody changed what the decision looked at.
void Writes::refused(const JobPtr& job, store::Revision revision) {
    if (++job->attempts >= kAttemptsMax)
        return finish(job,
                      fail(ErrorCode::kConflict,
                           fmt::format("{}: others changed what it depends on, {} times in a row",
                                       job->draft.subject.text(), kAttemptsMax),
                           "look at what changes it, and ask again; nothing was done"));
    if (!mutant(MutantId::kGuardKept)) quota_guards_.erase(job->draft.quota_project);
    look_again(job, revision);
}

void Writes::look_again(const JobPtr& job, store::Revision revision) {
    crossing_.when_at(revision, kViewPatience, [this, job](Status at) {
        if (!at) return finish(job, fail(at.error()));
        attempt_unless_repeated(job);
    });
}

void Writes::failed(const JobPtr& job, const Error& error) {
    const bool lease_gone =
        error.code == ErrorCode::kNotFound && job->idempotency && !job->lease_renewed;
    if (lease_gone) {
        job->lease_renewed = true;
        lease_ = 0;
        return attempt(job);
    }
    if (mutant(MutantId::kUnknownIsFailed))
        return finish(job, fail(ErrorCode::kUnavailable, error.message));
    if (error.code == ErrorCode::kUnknownOutcome) ++job->unknown;
    if (job->unknown == 0) return finish(job, fail(error));
    if (error.code != ErrorCode::kUnknownOutcome) ++job->unknown;
    if (job->unknown > kUnknownMax)
        return finish(job, fail(ErrorCode::kUnknownOutcome,
                                fmt::format("{}: the store did not say whether it happened: {}",
                                            job->draft.subject.text(), error.message),
                                std::string(kLookFirst)));
    deps_.log.warn("outcome of a write not known yet",
                   {{"subject", job->draft.subject.text()}, {"error", describe(error)}});
    crossing_.after(kUnknownPause,
                    [this, job] { may_repeat(*job) ? commit(job) : look_for_proof(job); });
}

// A record's revision never comes again, so what counts on one happens once however often it is
// sent. Absence does come again: a repeated "create" would bring back what others have deleted
// meanwhile, unless an Idempotency-Key's record stands in its way.
bool Writes::may_repeat(const Job& job) {
    return job.idempotency || !counts_on(job.draft, job.draft.proof_key, 0);
}

// Without repeating it: it may have happened, or still happen.
void Writes::look_for_proof(const JobPtr& job) {
    const std::string& key = job->draft.proof_key;
    deps_.store.read(
        {.prefix = key, .limit = 1},
        crossing_.back<store::RangeResult>([this, job](Result<store::RangeResult> read) {
            if (!read) return failed(job, read.error());
            if (is_ours(job->draft, *read)) return happened(job, read->revision);
            failed(job, {ErrorCode::kUnknownOutcome, "it is not there"});
        }));
}

// Refused after an attempt whose outcome nobody knows: it was refused because that one happened, or
// because others changed something. If what it would have written is neither there nor still as it
// was before, it may have happened and have been overwritten: doing it again would make it happen
// twice.
void Writes::check_proof(const JobPtr& job, store::Revision revision) {
    if (job->idempotency) {  // its own record tells, and is looked up before each attempt
        job->unknown = 0;
        return refused(job, revision);
    }
    const std::string& key = job->draft.proof_key;
    ASSERT(!key.empty());
    deps_.store.read(
        {.prefix = key, .limit = 1},
        crossing_.back<store::RangeResult>([this, job, key = key](Result<store::RangeResult> read) {
            if (!read) return failed(job, read.error());
            if (is_ours(job->draft, *read)) return happened(job, read->revision);
            const bool there = !read->items.empty() && read->items[0].key == key;
            const store::Revision now = there ? read->items[0].mod_revision : 0;
            if (!counts_on(job->draft, key, now)) return finish(job, fail(overwritten(job->draft)));
            job->unknown = 0;
            refused(job, read->revision);
        }));
}

void Writes::finish(const JobPtr& job, Result<Done> result) {
    give_turn(job);
    if (auto done = std::exchange(job->done, nullptr)) done(std::move(result));
}

}  // namespace blixard::api
