// What the controller carries out step by step, and says how far it has come: node-drain,
// rebalance. All that it has to know stands in the operation's record and in the VMs' placements,
// so that the next controller goes on where this one ended.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "controller/controller.h"
#include "controller/moves.h"
#include "controller/needs.h"
#include "controller/translate.h"
#include "model/documents.h"
#include "model/keys.h"
#include "scheduler/rebalance.h"

namespace blixard::controller {
namespace {

// Two hosts may each have begun one before they knew of the other's: the first goes on.
const view::OperationEntry* first_rebalance(const view::Snapshot& state) {
    const view::OperationEntry* first = nullptr;
    state.operations.for_each([&](const std::shared_ptr<const view::OperationEntry>& entry) {
        const model::Operation& record = entry->record->value;
        if (record.kind != "rebalance" || record.state != model::OperationState::kRunning) return;
        if (!first || entry->record->create_revision < first->record->create_revision)
            first = entry.get();
    });
    return first;
}

}  // namespace

void Controller::look_at_operations() {
    const view::SnapshotPtr state = deps_.view.current();
    const bool drains_due = std::exchange(drains_due_, false);
    const view::OperationEntry* rebalance = first_rebalance(*state);
    state->operations.for_each([&](const std::shared_ptr<const view::OperationEntry>& entry) {
        const model::Operation& record = entry->record->value;
        if (record.state != model::OperationState::kRunning ||
            busy_.contains("operation " + entry->key))
            return;
        if (record.kind == "node-drain" && drains_due) look_at_drain(*entry, *state);
        if (record.kind != "rebalance") return;
        if (entry.get() == rebalance) return look_at_rebalance(*entry, *state);
        model::Operation now = record;
        now.state = model::OperationState::kCancelled;
        now.message = fmt::format("another rebalance was under way: {}", rebalance->key);
        propose_operation(*entry, std::move(now));
    });
}

void Controller::propose_operation(const view::OperationEntry& operation, model::Operation now) {
    if (now.state != model::OperationState::kRunning) now.ended_at = to_rfc3339(deps_.clock.wall());
    std::string value = model::to_json(now);
    if (value == operation.record->bytes) return;
    const std::string key = model::operation_key(operation.key);
    Proposal proposal{.about = {"operation " + operation.key}};
    proposal.transaction.compares.push_back({key, operation.revision});
    proposal.transaction.puts.push_back({.key = key, .value = std::move(value)});
    propose(std::move(proposal));
}

// How many VMs are left, and why those that cannot go stay.
void Controller::look_at_drain(const view::OperationEntry& operation, const view::Snapshot& state) {
    const model::Operation& before = operation.record->value;
    const std::string node =
        before.target.starts_with("nodes/") ? before.target.substr(6) : before.target;
    model::Operation now = before;
    // Room has come free somewhere: those that fitted nowhere else may go now.
    const bool try_again = std::exchange(drains_looked_at_[operation.key], rounds_) != rounds_;
    std::int64_t left = 0;
    std::vector<std::string> stay;
    state.for_each_vm_on(node, [&](const view::VmEntry& vm) {
        ++left;
        if (try_again) dirty_vms_.insert(vm.key);
        if (volumes_at(vm).its_host)
            stay.push_back(vm.key + " has a disk on this host");
        else if (vm.record && vm.record->value.spec.constraints.node == node)
            stay.push_back(vm.key + " is bound to this host by its constraints");
        else if (!vm.placement->value.release && vm.record &&
                 vm.record->value.spec.run != model::Run::kStopped)
            stay.push_back(vm.key + " fits nowhere else");
        return true;
    });
    const view::NodeEntry* host = state.nodes.find(node);
    const bool cancelled = !host || !host->spec || !host->spec->value.draining;
    now.total = mutant(MutantId::kDrainTotalShrinks) ? left : std::max(before.total, left);
    now.done = now.total - left;
    now.unit = "vms";
    now.blocked = static_cast<std::int64_t>(stay.size());
    now.message = fmt::format("{}", fmt::join(stay, "; "));
    const std::int64_t may_be_left = mutant(MutantId::kDrainDoneEarly) ? 1 : 0;
    if (left <= may_be_left && !mutant(MutantId::kDrainUnended))
        now.state = model::OperationState::kDone;
    else if (cancelled)
        now.state = model::OperationState::kCancelled;
    if (try_again && left > 0) wake();
    if (now.state != model::OperationState::kRunning) drains_looked_at_.erase(operation.key);
    propose_operation(operation, std::move(now));
}

// One move after the other: the next VM is not stopped before the last one has a process again.
void Controller::look_at_rebalance(const view::OperationEntry& operation,
                                   const view::Snapshot& state) {
    model::Operation now = operation.record->value;
    if (!now.moving.empty()) {
        if (busy_.contains(now.moving)) return;
        switch (move_state(state.vms.find(now.moving))) {
            case MoveState::kUnderWay: return;
            case MoveState::kArrived: ++now.done; break;
            case MoveState::kGone: break;
            case MoveState::kHomeless:
                now.state = model::OperationState::kFailed;
                now.message = fmt::format("{} was stopped and waits for a place; see: blixard why",
                                          now.moving);
                now.moving.clear();
                return propose_operation(operation, std::move(now));
        }
        now.moving.clear();
        now.message.clear();
    }
    begin_move(operation, std::move(now), state);
}

void Controller::begin_move(const view::OperationEntry& operation, model::Operation now,
                            const view::Snapshot& state) {
    if (!in_doubt_.empty()) return;  // where their VMs will be is being written
    scheduler::Rebalance plan;
    if (now.done < now.total)
        plan = scheduler::plan_rebalance(
            inventory_.cluster(), policy_, 1, [&](const scheduler::Request& request) {
                const view::VmEntry* vm = state.vms.find(request.vm);
                return vm && movable(*vm) && !busy_.contains(request.vm);
            });
    if (plan.moves.empty()) {
        now.state = model::OperationState::kDone;
        return propose_operation(operation, std::move(now));
    }
    // Decided on what is true now, and begun only if it is true still.
    const scheduler::Move& move = plan.moves.front().move;
    const view::VmEntry& vm = *state.vms.find(move.vm);
    inventory_.hold(*request_of(vm, state), move.to, move.assignment);
    now.moving = move.vm;
    now.message = fmt::format("moving {} from {} to {}", move.vm, move.from, move.to);
    model::Placement placement = vm.placement->value;
    placement.release = true;
    placement.reason = fmt::format("{}: leaves host {}", kRebalanceReason, move.from);
    Proposal proposal{.about = {move.vm, "operation " + operation.key}};
    compare_vm(vm, proposal.transaction);
    compare_host(move.to, proposal.transaction);
    const std::string key = model::operation_key(operation.key);
    if (!mutant(MutantId::kMoveUncompared))
        proposal.transaction.compares.push_back({key, operation.revision});
    proposal.transaction.puts.push_back(placement_put(vm, placement));
    proposal.transaction.puts.push_back({.key = key, .value = model::to_json(now)});
    propose(std::move(proposal));
}

}  // namespace blixard::controller
