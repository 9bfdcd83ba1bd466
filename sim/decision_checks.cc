#include "sim/decision_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "model/documents.h"
#include "model/keys.h"
#include "sim/rules.h"

namespace blixard::sim {
namespace {

constexpr Millis kUnderWayMost = seconds(300);  // by then it has happened, or never will
constexpr std::size_t kExactVictims = 3;        // of more, the fewest need not be found

struct Write {
    const view::VmEntry* vm = nullptr;  // as it was seen
    model::Placement now;
};

bool waits(const view::VmEntry& vm) {
    return vm.record && vm.record->value.deleted_at.empty() &&
           vm.record->value.spec.run != model::Run::kStopped && vm.node().empty();
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

bool goes_before(const view::VmEntry& a, const view::VmEntry& b) {
    const auto turn = [](const view::VmEntry& vm) {
        return std::tuple(-vm.record->value.spec.priority, vm.record->create_revision);
    };
    return turn(a) < turn(b);
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
    Evictions(const view::Snapshot& seen, const view::VmEntry& by, const view::NodeEntry& host)
        : seen_(seen), by_(by), host_(host), candidate_(seen, by) {}
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
            if (!what && candidate_.what_forbids(*node).empty())
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
            if (!lower.record || gone_.contains(lower.key)) return true;
            const model::VmSpec& spec = lower.record->value.spec;
            std::set<std::string> instead = others;
            instead.insert(lower.key);
            if (spec.preemptible && spec.priority < victim.record->value.spec.priority &&
                !candidate_.must_be_near(lower) && candidate_.has_room_without(host_, instead))
                what = fmt::format(
                    "vm {} (priority {}) makes way on {} for vm {}, and vm {} (priority {}) stays",
                    victim.key, victim.record->value.spec.priority, host_.key, by_.key, lower.key,
                    spec.priority);
            return !what;
        });
        return what;
    }

    const view::Snapshot& seen_;
    const view::VmEntry& by_;
    const view::NodeEntry& host_;
    const Candidate candidate_;
    std::vector<const view::VmEntry*> victims_;
    std::set<std::string> gone_;
};

std::optional<std::string> wrong_with_evictions(const std::vector<Write>& writes,
                                                const view::Snapshot& seen) {
    std::map<std::string, Evictions> all;
    for (const Write& write : writes) {
        const std::string& reason = write.now.reason;
        if (!write.now.release || !reason.starts_with("preempted by ")) continue;
        const std::string by = reason.substr(13, reason.find(' ', 13) - 13);
        const view::VmEntry* other = seen.vms.find(by);
        const view::NodeEntry* host = seen.nodes.find(write.now.node);
        if (!other || !waits(*other) || !host || is_limited(seen, *other)) return {};
        all.try_emplace(by, seen, *other, *host).first->second.add(*write.vm);
    }
    if (all.size() != 1) return {};  // of several, the one counts on what the other does
    return all.begin()->second.wrong();
}

// Of two that have waited, the one whose turn is first has the place that both could have.
std::optional<std::string> wrong_with_turn(const Write& placed, const view::Snapshot& seen,
                                           const std::set<std::string>& told) {
    const view::VmEntry& vm = *placed.vm;
    const view::NodeEntry* host = seen.nodes.find(placed.now.node);
    if (!host || !has_waited(vm)) return {};
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

}  // namespace

void DecisionChecks::forget_what_is_seen(const view::Snapshot& seen, MonoTime now) {
    std::erase_if(under_way_, [&](const auto& entry) {
        const view::VmEntry* vm = seen.vms.find(entry.first);
        const store::Revision shown = vm && vm->placement ? vm->placement->mod_revision : 0;
        return shown > entry.second.counted_on || now - entry.second.at > kUnderWayMost;
    });
}

std::optional<WrongDecision> DecisionChecks::what_is_wrong_with(const store::Transaction& decided,
                                                                const view::Snapshot& seen,
                                                                MonoTime now, bool answered) {
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
        if (auto wrong = wrong_with_move(write)) return WrongDecision{*wrong};
    if (!alone || !answered || !nobody_leaves(seen) || !all_hosts_live(seen)) return {};
    std::set<std::string> told;  // why they wait
    std::erase_if(writes, [&](const Write& write) {
        const bool waits_on = write.now.node.empty() && write.vm->node().empty();
        if (waits_on) told.insert(write.vm->key);
        return waits_on;
    });
    if (writes.empty()) return {};
    if (std::ranges::all_of(writes, [](const Write& write) { return write.now.release; }))
        if (auto wrong = wrong_with_evictions(writes, seen)) return WrongDecision{*wrong};
    if (writes.size() == 1 && !writes.front().now.node.empty() && writes.front().vm->node().empty())
        if (auto wrong = wrong_with_turn(writes.front(), seen, told))
            return WrongDecision{*wrong, true};
    return {};
}

}  // namespace blixard::sim
