// Where VMs are placed and whom a controller tells to leave, by what the store has.
#include <fmt/format.h>

#include <algorithm>

#include "sim/checker.h"
#include "sim/rules.h"

namespace blixard::sim {
namespace {

// A controller decides from what it has seen; a spec that grew a moment ago it may not have.
constexpr Millis kSeenBy = seconds(5);

}  // namespace

void Checker::check_placement(const view::VmEntry* before, const view::VmEntry& after) {
    counted();
    const model::Placement& now = after.placement->value;
    const model::Placement none;
    const model::Placement& then = before->placement ? before->placement->value : none;
    std::int64_t& highest = epochs_[now.uid.str()];
    if (now.epoch < highest)
        broken(fmt::format("vm {}: epoch fell from {} to {}", after.key, highest, now.epoch));
    if (now.uid == after.record->value.uid && then.uid == now.uid && then.release && !now.release &&
        now.node == then.node && !now.node.empty())
        broken(fmt::format("vm {}: its release from {} was taken back", after.key, now.node));
    if (now.node != then.node) {
        if (!now.node.empty() && now.epoch <= highest)
            broken(fmt::format("vm {} was placed on {} with epoch {}, which was used before",
                               after.key, now.node, now.epoch));
        if (!now.node.empty() && !then.node.empty() &&
            !failed_over_.contains(fmt::format("{} {}", now.uid, now.epoch)))
            broken(fmt::format("vm {} was moved from {} to {} without the record of a failover",
                               after.key, then.node, now.node));
        if (!then.node.empty() && !then.uid.empty())
            not_running(then.uid.str(),
                        fmt::format("vm {} was taken from {}", after.key, then.node));
        if (!now.node.empty()) check_place(after);
        if (!now.node.empty() && now.release)
            broken(fmt::format("vm {} was placed on {}, and told to leave it at once", after.key,
                               now.node));
    }
    if (now.release && !(then.release && then.node == now.node)) check_release(after);
    if (std::string wrong = miscounted(now.reason); !wrong.empty())
        broken(fmt::format("vm {} is told \"{}\", which {}", after.key, now.reason, wrong));
    highest = std::max(highest, now.epoch);
}

void Checker::check_place(const view::VmEntry& after) {
    counted();
    if (runs(after.record->value.uid.str()))
        not_running(after.record->value.uid.str(),
                    fmt::format("vm {} was placed on {}", after.key, after.node()));
    if (after.record->value.spec.run == model::Run::kStopped)
        broken(
            fmt::format("vm {} was placed on {}, and shall be stopped", after.key, after.node()));
    const view::NodeEntry* node = state_.nodes.find(after.node());
    if (!node)
        return broken(
            fmt::format("vm {} was placed on host {}, which is unknown", after.key, after.node()));
    const std::string forbidden = Candidate(state_, after, true).what_forbids(*node);
    const auto grown = grown_.find(std::string(after.node()));
    const bool may_not_know = grown != grown_.end() && clock_.mono() - grown->second < kSeenBy;
    if (!forbidden.empty() && !may_not_know && understands_all())
        broken(fmt::format("vm {} was placed where it may not be: {}", after.key, forbidden));
}

// A VM is asked to leave its host: for a drain, for one of higher priority, or to even things out.
void Checker::check_release(const view::VmEntry& after) {
    counted();
    const std::string& reason = after.placement->value.reason;
    const view::NodeEntry* node = state_.nodes.find(after.node());
    if (reason.starts_with("drain") && (!node || !node->spec || !node->spec->value.draining))
        broken(fmt::format("vm {} was told to leave {}, which is not being drained", after.key,
                           after.node()));
    if (reason.starts_with("volume ") && !has_a_file_elsewhere(state_, after))
        broken(fmt::format("vm {} was told to leave {} for a volume elsewhere, and has none there",
                           after.key, after.node()));
    if (reason.starts_with("rebalance")) {
        bool asked = false;
        state_.operations.for_each([&](const auto& operation) {
            const model::Operation& record = operation->record->value;
            asked = asked ||
                    (record.kind == "rebalance" && record.state == model::OperationState::kRunning);
        });
        if (!asked)
            broken(
                fmt::format("vm {} was told to leave {} for a rebalance that nobody has asked for",
                            after.key, after.node()));
        if (std::string wrong = who_needs_it_near(state_, after); !wrong.empty())
            broken(fmt::format("vm {} was told to leave {} for a rebalance, and vm {} must be near",
                               after.key, after.node(), wrong));
    }
    if (!reason.starts_with("preempted by ")) return;
    const std::string by = reason.substr(13, reason.find(' ', 13) - 13);
    const view::VmEntry* other = state_.vms.find(by);
    if (!other || !other->record)
        return broken(
            fmt::format("vm {} was preempted by vm {}, which is not there", after.key, by));
    const model::VmSpec& victim = after.record->value.spec;
    if (!victim.preemptible || victim.priority >= other->record->value.spec.priority)
        broken(fmt::format("vm {} (priority {}) was preempted by vm {} (priority {})", after.key,
                           victim.priority, by, other->record->value.spec.priority));
    const Candidate candidate(state_, *other);
    if (candidate.must_be_near(after))
        broken(fmt::format("vm {} was preempted by vm {}, which must be near it", after.key, by));
    const auto grown = grown_.find(std::string(after.node()));
    if (grown != grown_.end() && clock_.mono() - grown->second < kSeenBy) return;
    if (!understands_all()) return;
    // Whom it must be with has come elsewhere in the same moment: nobody lay anywhere before.
    bool came_with_it = false;
    state_.vms.for_each([&](const auto& each) {
        came_with_it = came_with_it ||
                       (each->placement && !each->node().empty() && candidate.must_be_near(*each) &&
                        each->placement->mod_revision == after.placement->mod_revision &&
                        each->node() != after.node());
    });
    if (!node || came_with_it) return;
    if (std::string wrong = candidate.what_breaks_after_preemption(*node); !wrong.empty())
        broken(fmt::format("vm {} was preempted on {}, where vm {} may not be even so: {}",
                           after.key, after.node(), by, wrong));
}

}  // namespace blixard::sim
