#include "sim/decision_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "model/documents.h"
#include "model/keys.h"
#include "sim/rules.h"

namespace blixard::sim {
namespace {

constexpr Millis kUnderWayMost = seconds(300);  // by then it has happened, or never will
constexpr std::size_t kExactVictims = 3;        // of more, the fewest need not be found

using Write = DecidedPlace;

constexpr std::string_view kPreempted = "preempted by ";
std::string evicted_by(const std::string& reason) {
    return reason.substr(kPreempted.size(),
                         reason.find(' ', kPreempted.size()) - kPreempted.size());
}

// It has been asked, fitted nowhere, and was told.
bool has_waited(const view::VmEntry& vm) {
    return waits(vm) && vm.placement && vm.placement->value.uid == vm.record->value.uid &&
           vm.placement->value.reason.starts_with("fits on none");
}

bool has_company(const view::VmEntry& vm) {
    return std::ranges::any_of(vm.record->value.spec.affinity, [](const model::AffinityRule& rule) {
        return rule.hard && !rule.anti;
    });
}

bool is_limited(const view::Snapshot& seen, const view::VmEntry& vm) {
    const view::ProjectEntry* project = seen.projects.find(vm.project());
    return project && project->record->value.quota != model::Quota{};
}

// Nobody leaves: no room is held for anyone.
bool nobody_leaves(const view::Snapshot& seen) {
    bool quiet = true;
    seen.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        quiet = quiet && !(vm->placement && vm->placement->value.release);
    });
    return quiet;
}

// Nor is anyone on its way from a lost host.
bool all_hosts_live(const view::Snapshot& seen) {
    bool quiet = true;
    seen.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        quiet = quiet && node->lease && node->status && node->spec;
    });
    return quiet;
}

class Evictions {
 public:
    using IsKept = std::function<bool(const view::NodeEntry&, const view::VmEntry&)>;
    Evictions(const view::Snapshot& seen, const view::VmEntry& by, const view::NodeEntry& host,
              const IsKept& is_kept)
        : seen_(seen), by_(by), host_(host), is_kept_(is_kept), candidate_(seen, by) {}
    void add(const view::VmEntry& victim) {
        victims_.push_back(&victim);
        gone_.insert(victim.key);
    }

    std::optional<std::string> wrong() const {
        if (!candidate_.has_room_without(host_, gone_)) return {};  // others know better
        std::optional<std::string> what = needless();
        for (const view::VmEntry* victim : victims_)
            if (!what) what = wrong_with(*victim);
        return what;
    }

 private:
    std::optional<std::string> needless() const {
        std::optional<std::string> what;
        seen_.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
            if (!what && candidate_.what_forbids(*node).empty() && !is_kept_(*node, by_))
                what = fmt::format("vm {} has others make way on {}, and fits on {} as it is",
                                   by_.key, host_.key, node->key);
        });
        return what;
    }

    std::optional<std::string> wrong_with(const view::VmEntry& victim) const {
        std::set<std::string> others = gone_;
        others.erase(victim.key);
        if (candidate_.has_room_without(host_, others))
            return fmt::format("vm {} makes way on {} for vm {}, which has room without that",
                               victim.key, host_.key, by_.key);
        if (victims_.size() > kExactVictims) return {};
        std::optional<std::string> what;
        seen_.for_each_vm_on(host_.key, [&](const view::VmEntry& lower) {
            if (!lower.record || lower.not_understood != 0 || gone_.contains(lower.key))
                return true;
            const model::VmSpec& spec = lower.record->value.spec;
            const std::int64_t priority = victim.record->value.spec.priority;
            // Of two alike, who came there last has least to lose.
            const bool is_newer = spec.priority == priority && lower.placement &&
                                  lower.placement->mod_revision > victim.placement->mod_revision;
            std::set<std::string> instead = others;
            instead.insert(lower.key);
            if (spec.preemptible && (spec.priority < priority || is_newer) &&
                !candidate_.must_be_near(lower) && candidate_.has_room_without(host_, instead))
                what = fmt::format(
                    "vm {} (priority {}) makes way on {} for vm {}, and vm {} (priority {}{}) "
                    "stays",
                    victim.key, priority, host_.key, by_.key, lower.key, spec.priority,
                    is_newer ? ", placed later" : "");
            return !what;
        });
        return what;
    }

    const view::Snapshot& seen_;
    const view::VmEntry& by_;
    const view::NodeEntry& host_;
    const IsKept& is_kept_;
    const Candidate candidate_;
    std::vector<const view::VmEntry*> victims_;
    std::set<std::string> gone_;
};

std::optional<std::string> wrong_with_evictions(const std::vector<Write>& writes,
                                                const view::Snapshot& seen,
                                                const Evictions::IsKept& is_kept) {
    std::map<std::string, Evictions> all;
    for (const Write& write : writes) {
        const std::string& reason = write.now.reason;
        if (!write.now.release || !reason.starts_with(kPreempted)) continue;
        const std::string by = evicted_by(reason);
        const view::VmEntry* other = seen.vms.find(by);
        const view::NodeEntry* host = seen.nodes.find(write.now.node);
        if (!other || !waits(*other) || !host || is_limited(seen, *other)) return {};
        all.try_emplace(by, seen, *other, *host, is_kept).first->second.add(*write.vm);
    }
    if (all.size() != 1) return {};  // of several, the one counts on what the other does
    return all.begin()->second.wrong();
}

// Of two that have waited, the one whose turn is first has the place that both could have.
std::optional<std::string> wrong_with_turn(const Write& placed, const view::Snapshot& seen,
                                           const std::set<std::string>& told) {
    const view::VmEntry& vm = *placed.vm;
    const view::NodeEntry* host = seen.nodes.find(placed.now.node);
    // It may have been counted where somebody was about to leave anyway.
    const bool may_be_ahead = vm.record && vm.record->value.spec.strategy == "priority";
    if (!host || !has_waited(vm) || may_be_ahead) return {};
    std::optional<std::string> what;
    seen.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& other) {
        if (what || other->key == vm.key || told.contains(other->key) || !has_waited(*other) ||
            !goes_before(*other, vm) || has_company(*other) || is_limited(seen, *other) ||
            !Candidate(seen, *other).what_forbids(*host).empty())
            return;
        what = fmt::format("vm {} is placed on {} before vm {}, which has waited and fits there",
                           vm.key, host->key, other->key);
    });
    return what;
}

// To even things out, what runs is moved, and nothing else is disturbed.
std::optional<std::string> wrong_with_move(const Write& write) {
    const view::VmEntry& vm = *write.vm;
    const bool begins = write.now.release && vm.placement && !vm.placement->value.release;
    if (!begins || !write.now.reason.starts_with("rebalance")) return {};
    const bool runs = vm.phase == model::Phase::kRunning &&
                      vm.record->value.spec.run == model::Run::kRunning &&
                      vm.record->value.deleted_at.empty();
    if (runs) return {};
    return fmt::format("vm {} ({}) is told to leave {} for a rebalance", vm.key,
                       model::phase_name(vm.phase), vm.node());
}

// Who has to leave a host that is drained has a place to go to.
std::optional<std::string> wrong_with_drain(const Write& write, const view::Snapshot& seen) {
    const view::VmEntry& vm = *write.vm;
    const bool begins = write.now.release && vm.placement && !vm.placement->value.release;
    if (!begins || !write.now.reason.starts_with("drain") || could_go_elsewhere(seen, vm))
        return {};
    return fmt::format("vm {} is told to leave {} for its drain, and can be nowhere else", vm.key,
                       vm.node());
}

// What a newer version has written, and nobody here understands, is left to it. A start that is
// being announced may have been decided before that was seen: the store refuses it.
std::optional<std::string> wrong_with_newer(const store::Transaction& decided,
                                            const view::Snapshot& seen) {
    for (const store::Put& put : decided.puts) {
        const model::ParsedKey key = model::parse_key(put.key);
        const bool of_status = key.kind == model::RecordKind::kVmStatus;
        if (!of_status && key.kind != model::RecordKind::kVmPlacement) continue;
        const view::VmEntry* vm = seen.vms.find(fmt::format("{}/{}", key.project, key.name));
        if (!vm || vm->not_understood == 0) continue;
        const auto status = model::parse_vm_status(put.value, model::Mode::kLenient);
        if (of_status && status && status->phase == model::Phase::kStarting) continue;
        return fmt::format("{} is written, and of vm {} is something that it does not understand",
                           put.key, vm->key);
    }
    return {};
}

}  // namespace

namespace {

store::Revision proof_of(const store::Transaction& decided) {
    const auto proof =
        std::ranges::find(decided.compares, model::kElectionKey, &store::Compare::key);
    return proof == decided.compares.end() ? 0 : proof->mod_revision;
}

}  // namespace

namespace {

// A move counts that has been made: whoever is moved has a process again; and there are no more
// than were planned.
std::optional<std::string> wrong_with_rebalance(const model::Operation& then,
                                                const model::Operation& now,
                                                const view::Snapshot& seen) {
    const bool begins = !now.moving.empty() && now.moving != then.moving;
    if (begins && now.done >= now.total)
        return fmt::format("a rebalance moves vm {} after {} of {} moves", now.moving, now.done,
                           now.total);
    if (now.done != then.done + 1 || then.moving.empty()) return {};
    const view::VmEntry* vm = seen.vms.find(then.moving);
    const bool has_come =
        vm && vm->record && vm->record->value.deleted_at.empty() &&
        vm->record->value.spec.run != model::Run::kStopped && !vm->node().empty() &&
        !vm->placement->value.release && vm->phase != model::Phase::kScheduled &&
        (vm->phase != model::Phase::kStarting || (vm->status && vm->status->value.pid != 0));
    if (has_come) return {};
    return fmt::format("a rebalance counts vm {} ({}) as moved", then.moving,
                       vm ? model::phase_name(vm->phase) : "gone");
}

// Those that cannot leave are counted.
std::optional<std::string> wrong_with_blocked(const model::Operation& now,
                                              const view::Snapshot& seen) {
    const std::string host = now.target.substr(now.target.find('/') + 1);
    std::int64_t stay = 0;
    seen.for_each_vm_on(host, [&](const view::VmEntry& vm) {
        const bool may_leave = !vm.record || vm.placement->value.release ||
                               vm.record->value.spec.run == model::Run::kStopped;
        const bool is_bound =
            vm.record && (is_pinned(seen, vm) || vm.record->value.spec.constraints.node == host);
        stay += is_bound || !may_leave ? 1 : 0;
        return true;
    });
    if (stay == now.blocked) return {};
    return fmt::format("the drain of {} says that {} VMs cannot leave, and {} cannot", host,
                       now.blocked, stay);
}

// By the controller: people end an operation as it is.
std::optional<std::string> wrong_with_operations(const store::Transaction& decided,
                                                 const view::Snapshot& seen) {
    if (proof_of(decided) == 0) return {};
    std::optional<std::string> what;
    for (const store::Put& put : decided.puts) {
        const model::ParsedKey key = model::parse_key(put.key);
        if (key.kind != model::RecordKind::kOperation || what) continue;
        const auto now = model::parse_operation(put.value, model::Mode::kLenient);
        const view::OperationEntry* before = seen.operations.find(key.name);
        const auto own = std::ranges::find(decided.compares, put.key, &store::Compare::key);
        if (!now || !before || own == decided.compares.end() ||
            own->mod_revision != before->revision)
            continue;
        what = now->kind == "rebalance"    ? wrong_with_rebalance(before->record->value, *now, seen)
               : now->kind == "node-drain" ? wrong_with_blocked(*now, seen)
                                           : std::nullopt;
    }
    return what;
}

}  // namespace

void DecisionChecks::outcome_unknown(const store::Transaction& decided) {
    for (const store::Put& put : decided.puts)
        if (model::parse_key(put.key).kind == model::RecordKind::kVmPlacement)
            in_doubt_[put.key] = proof_of(decided);
}

// What may still happen is made void first, by another proof: else two decisions about one VM are
// under way, and its room is given away.
std::optional<std::string> DecisionChecks::wrong_with_doubt(
    const store::Transaction& decided) const {
    for (const store::Put& put : decided.puts) {
        const auto doubt = in_doubt_.find(put.key);
        if (doubt == in_doubt_.end() || doubt->second != proof_of(decided)) continue;
        return fmt::format(
            "{} is written, and what was sent before with the same proof may still "
            "happen",
            put.key);
    }
    return {};
}

void DecisionChecks::forget_what_is_seen(const view::Snapshot& seen, MonoTime now) {
    std::erase_if(under_way_, [&](const auto& entry) {
        const view::VmEntry* vm = seen.vms.find(entry.first);
        const store::Revision shown = vm && vm->placement ? vm->placement->mod_revision : 0;
        return shown > entry.second.counted_on || now - entry.second.at > kUnderWayMost;
    });
}

// For whom others have made way, or do so now: their room counts as its own until it comes. True:
// there was nobody before.
bool DecisionChecks::nobody_was_ahead(const std::vector<DecidedPlace>& writes,
                                      const view::Snapshot& seen) {
    std::erase_if(ahead_, [&](const std::string& name) {
        const view::VmEntry* vm = seen.vms.find(name);
        return !vm || !waits(*vm);
    });
    for (const DecidedPlace& write : writes)
        if (write.now.node.empty() && write.vm->node().empty()) ahead_.erase(write.vm->key);
    const bool nobody = ahead_.empty();
    for (const DecidedPlace& write : writes)
        if (write.now.release && write.now.reason.starts_with(kPreempted))
            ahead_.insert(evicted_by(write.now.reason));
    return nobody;
}

std::optional<std::string> DecisionChecks::what_is_wrong_with(
    const store::Transaction& decided, const view::Snapshot& seen, MonoTime now, bool answered,
    const std::map<std::string, MonoTime>& without_place) {
    if (auto wrong = wrong_with_newer(decided, seen)) return wrong;
    if (auto wrong = wrong_with_doubt(decided)) return wrong;
    if (auto wrong = wrong_with_operations(decided, seen)) return wrong;
    std::vector<Write> writes;
    bool as_seen = true;
    forget_what_is_seen(seen, now);
    const bool alone = under_way_.empty();
    for (const store::Put& put : decided.puts) {
        const model::ParsedKey key = model::parse_key(put.key);
        if (key.kind != model::RecordKind::kVmPlacement) continue;
        const std::string name = fmt::format("{}/{}", key.project, key.name);
        const view::VmEntry* vm = seen.vms.find(name);
        const auto placement = model::parse_placement(put.value, model::Mode::kLenient);
        const auto own = std::ranges::find(decided.compares, put.key, &store::Compare::key);
        const store::Revision shown = vm && vm->placement ? vm->placement->mod_revision : 0;
        as_seen = as_seen && vm && vm->record && placement && own != decided.compares.end() &&
                  own->mod_revision == shown;
        under_way_[name] = {now, own == decided.compares.end() ? 0 : own->mod_revision};
        if (placement) writes.push_back({vm, *placement});
    }
    if (writes.empty() || !as_seen) return {};
    for (const Write& write : writes)
        if (auto wrong = wrong_with_move(write)) return wrong;
    kept_room_.look_at_office(writes, seen, now);
    if (alone && answered)
        for (const Write& write : writes)
            if (auto wrong = kept_room_.wrong_with(write, seen, now, without_place)) return wrong;
    const bool settled = nobody_was_ahead(writes, seen) && alone && answered;
    if (!settled || !all_hosts_live(seen)) return {};
    for (const Write& write : writes)
        if (auto wrong = wrong_with_drain(write, seen)) return wrong;
    if (!nobody_leaves(seen)) return {};
    const Evictions::IsKept is_kept = [&](const view::NodeEntry& host, const view::VmEntry& vm) {
        return kept_room_.may_be_kept(host, vm, seen, now, without_place);
    };
    std::set<std::string> told;  // why they wait
    std::erase_if(writes, [&](const Write& write) {
        const bool waits_on = write.now.node.empty() && write.vm->node().empty();
        if (waits_on) told.insert(write.vm->key);
        return waits_on;
    });
    if (writes.empty()) return {};
    if (std::ranges::all_of(writes, [](const Write& write) { return write.now.release; }))
        if (auto wrong = wrong_with_evictions(writes, seen, is_kept)) return wrong;
    if (writes.size() == 1 && !writes.front().now.node.empty() && writes.front().vm->node().empty())
        return wrong_with_turn(writes.front(), seen, told);
    return {};
}

}  // namespace blixard::sim
