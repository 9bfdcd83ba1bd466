#include "api/deletion.h"

#include <fmt/format.h>

#include "api/reply.h"
#include "api/vm_spec.h"
#include "base/mutant.h"

namespace blixard::api {
namespace {

constexpr Millis kMarkKept = seconds(30);  // longer than a write can wait for anything

struct Deletion {
    CallPtr call;
    Subject subject;
    std::function<Status(const view::Snapshot&)> check;
    Decide decide;
    store::LeaseId lease = 0;
};
using DeletionPtr = std::shared_ptr<Deletion>;

void take_mark_away(Core& core, const DeletionPtr& deletion) {
    // If it cannot be revoked, it goes by itself.
    core.deps.store.revoke_lease(deletion->lease, [](const Result<bool>&) {});
}

void delete_marked(Core& core, const DeletionPtr& deletion, store::Revision mark) {
    Decide decide = [deletion, mark](const view::Snapshot& state) -> Result<Draft> {
        RETURN_IF_ERROR(deletion->check(state));
        ASSIGN_OR_RETURN(Draft draft, deletion->decide(state));
        if (!mutant(MutantId::kMarkUncompared))
            draft.counts_on(deletion_key(deletion->subject.kind, deletion->subject.name), mark);
        return draft;
    };
    core.writes.run(std::move(decide), {}, [&core, deletion](Result<Done> done) {
        take_mark_away(core, deletion);
        if (!done) return deletion->call->refuse(done.error());
        send_gone(*deletion->call, done->subject, done->uid, done->state->revision);
    });
}

void put_mark(Core& core, const DeletionPtr& deletion) {
    const std::string key = deletion_key(deletion->subject.kind, deletion->subject.name);
    store::Transaction mark;
    mark.compares.push_back({key, 0});
    mark.puts.push_back({.key = key, .value = "{}", .lease = deletion->lease});
    core.deps.store.commit(
        std::move(mark),
        core.crossing.back<store::Committed>([&core, deletion](Result<store::Committed> put) {
            Status marked = put ? Status{} : fail(put.error());
            if (put && !put->succeeded)
                marked = fail(
                    ErrorCode::kConflict,
                    fmt::format("{} is being deleted by somebody else", deletion->subject.text()),
                    "look again in a moment");
            if (!marked) {
                take_mark_away(core, deletion);
                return deletion->call->refuse(marked.error());
            }
            core.crossing.when_at(put->revision, kMarkKept / 2,
                                  [&core, deletion, revision = put->revision](Status at) {
                                      if (at) return delete_marked(core, deletion, revision);
                                      take_mark_away(core, deletion);
                                      deletion->call->refuse(at.error());
                                  });
        }));
}

void begin(Core& core, const DeletionPtr& deletion) {
    core.deps.store.grant_lease(kMarkKept, core.crossing.back<store::LeaseGrant>(
                                               [&core, deletion](Result<store::LeaseGrant> lease) {
                                                   if (!lease)
                                                       return deletion->call->refuse(lease.error());
                                                   deletion->lease = lease->id;
                                                   put_mark(core, deletion);
                                               }));
}

}  // namespace

void delete_unused(Core& core, const CallPtr& call, Subject subject,
                   std::function<Status(const view::Snapshot&)> check, Decide decide) {
    auto deletion = std::make_shared<Deletion>();
    deletion->call = call;
    deletion->subject = std::move(subject);
    deletion->check = std::move(check);
    deletion->decide = std::move(decide);
    if (deletion->check(*core.state())) return begin(core, deletion);
    // The view may not have come to what another host has acknowledged: a refusal is judged by what
    // the store has now.
    core.deps.store.current_revision(
        core.crossing.back<store::Revision>([&core, deletion](Result<store::Revision> newest) {
            if (!newest) return deletion->call->refuse(newest.error());
            core.crossing.when_at(*newest, kMarkKept / 2, [&core, deletion](Status at) {
                if (at) at = deletion->check(*core.state());
                if (!at) return deletion->call->refuse(at.error());
                begin(core, deletion);
            });
        }));
}

void Users::add(std::string text) {
    if (++count_ > kNamed) return;
    if (!named_.empty()) named_ += ", ";
    named_ += text;
}

std::string Users::text() const {
    return count_ <= kNamed ? named_ : fmt::format("{} and {} more", named_, count_ - kNamed);
}

Users unread_in(const view::Snapshot& state, std::string_view project, bool volumes) {
    Users users;
    const auto add = [&](std::string_view table, model::RecordKind kind) {
        const std::string prefix =
            project.empty() ? fmt::format("{}/", table) : fmt::format("{}/{}/", table, project);
        state.unread.scan_prefix(prefix, [&](const std::shared_ptr<const view::UnreadKey>& unread) {
            const model::ParsedKey key = model::parse_key(unread->key);
            if (key.kind != kind) return true;
            const Subject subject{kind == model::RecordKind::kVmSpec ? Kind::kVm : Kind::kVolume,
                                  std::string(key.project), std::string(key.name)};
            users.add(subject.text());
            return true;
        });
    };
    add("vms", model::RecordKind::kVmSpec);
    if (volumes) add("volumes", model::RecordKind::kVolumeSpec);
    return users;
}

Status check_uses_are_known(const view::Snapshot& state, const Subject& subject) {
    if (state.unread.empty()) return {};
    const bool of_all = subject.kind == Kind::kImage;
    const Users unread = unread_in(state, subject.project, of_all);
    if (unread.empty()) return {};
    return fail(
        ErrorCode::kConflict,
        fmt::format("this host cannot tell whether {} is used by {}, written by a newer version of "
                    "Blixard",
                    subject.text(), unread.text()),
        "ask a host of that version, or upgrade this one");
}

}  // namespace blixard::api
