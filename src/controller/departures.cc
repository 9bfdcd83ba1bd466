// How VMs leave their places: cleared when they are at rest, released, deleted, failed over from a
// lost host, drained from one that empties.
#include <fmt/format.h>

#include <utility>

#include "base/mutant.h"
#include "controller/controller.h"
#include "controller/translate.h"
#include "model/documents.h"
#include "model/keys.h"
#include "scheduler/place.h"

namespace blixard::controller {

void Controller::propose_clear(const view::VmEntry& vm) {
    model::Placement placement = vm.placement->value;
    const bool same_vm = vm.record && placement.uid == vm.record->value.uid;
    if (same_vm && vm.record->value.spec.run == model::Run::kStopped) placement.reason = "stopped";
    if (vm.record) placement.uid = vm.record->value.uid;
    placement.node.clear();
    placement.release = false;
    placement.numa_nodes.clear();
    placement.gpus.clear();
    placement.decided_at = to_rfc3339(deps_.clock.wall());
    Proposal proposal{.about = {vm.key}};
    compare_vm(vm, proposal.transaction);
    if (!mutant(MutantId::kClearUncompared))
        proposal.transaction.compares.push_back({model::vm_key(vm.project(), vm.name(), "status"),
                                                 vm.status ? vm.status->mod_revision : 0});
    proposal.transaction.puts.push_back(placement_put(vm, placement));
    propose(std::move(proposal));
}

void Controller::propose_release(const view::VmEntry& vm, const std::string& reason) {
    model::Placement placement = vm.placement->value;
    placement.release = true;
    placement.reason = reason;
    Proposal proposal{.about = {vm.key}};
    compare_vm(vm, proposal.transaction);
    // Who ends the drain meanwhile keeps the VM there.
    const view::NodeEntry* node = deps_.view.current()->nodes.find(vm.node());
    if (!mutant(MutantId::kReleaseUncompared))
        proposal.transaction.compares.push_back(
            {model::node_key(vm.node(), "spec"),
             node && node->spec ? node->spec->mod_revision : 0});
    proposal.transaction.puts.push_back(placement_put(vm, placement));
    propose(std::move(proposal));
}

void Controller::propose_delete(const view::VmEntry& vm) {
    Proposal proposal{.about = {vm.key}};
    compare_vm(vm, proposal.transaction);
    for (const char* part : {"spec", "placement", "status"})
        proposal.transaction.deletes.push_back(model::vm_key(vm.project(), vm.name(), part));
    const view::SnapshotPtr state = deps_.view.current();
    if (vm.record) {
        for (const model::Disk& disk : vm.record->value.spec.disks) {
            if (!disk.volume.empty() || mutant(MutantId::kVolumeRecordsLeft)) continue;
            const std::string name = model::volume_name(vm.name(), disk);
            const view::VolumeEntry* volume =
                state->volumes.find(fmt::format("{}/{}", vm.project(), name));
            if (!volume || !volume->record) continue;
            const bool made =
                volume->status && (volume->record->value.pool.empty()
                                       ? state->nodes.find(volume->status->value.node) != nullptr
                                       : volume->status->value.state == model::VolumeState::kReady);
            if (made) {
                // Its file is on a host, or on storage that all share: an agent deletes the file,
                // then the record.
                model::VolumeRecord record = volume->record->value;
                record.deleted_at = to_rfc3339(deps_.clock.wall());
                proposal.transaction.puts.push_back(
                    {.key = model::volume_key(vm.project(), name, "spec"),
                     .value = model::to_json(record)});
                continue;
            }
            for (const char* part : {"spec", "status"})
                proposal.transaction.deletes.push_back(model::volume_key(vm.project(), name, part));
        }
    }
    propose(std::move(proposal));
}

void Controller::fail_over(const view::VmEntry& vm) {
    const view::SnapshotPtr state = deps_.view.current();
    const std::string from(vm.node());
    if (waits_for_others(vm)) {
        dirty_vms_.insert(vm.key);  // looked at again when the answer about them is there
        return;
    }
    const auto request = request_of(vm, *state);
    inventory_.uncount(vm.key);
    scheduler::Decision decision = scheduler::place(inventory_.cluster(), *request, policy_);
    const bool placed = decision.outcome == scheduler::Outcome::kPlaced;
    model::Placement placement = vm.placement->value;
    if (placed) placement.epoch += 1;
    placement.node = placed ? decision.host : "";
    placement.numa_nodes.assign(decision.assignment.numa_nodes.begin(),
                                decision.assignment.numa_nodes.end());
    placement.gpus.assign(decision.assignment.gpus.begin(), decision.assignment.gpus.end());
    placement.decided_at = to_rfc3339(deps_.clock.wall());
    placement.reason = fmt::format("failover: host {} was lost", from);
    placement.decision = decision_json(decision);
    if (placed) {
        inventory_.count(request, decision.host, decision.assignment);
        has_come(*request);
    }

    const Sight* sight = liveness_.sight(from);
    const HostView host = host_view(from);
    model::Failover proof;
    proof.project = vm.project();
    proof.vm = vm.name();
    proof.uid = vm.record->value.uid;
    proof.from_node = from;
    proof.to_node = placement.node;
    proof.old_epoch = vm.placement->value.epoch;
    proof.new_epoch = placement.epoch;
    proof.proof = host.vouched ? "operator-vouched" : "lease-ended";
    proof.decided_at = placement.decided_at;
    if (sight && sight->gone_since) {
        proof.lease = mutant(MutantId::kLeaseUnnamed) ? 0 : sight->lease;
        proof.lease_ttl_ms = sight->ttl.count;
        proof.lease_gone_revision = sight->gone_revision;
        proof.lease_gone_seen_at = to_rfc3339(sight->gone_wall);
        proof.waited_ms = (deps_.clock.mono() - *sight->gone_since).count;
        proof.self_fence_rule = fmt::format(
            "the lost host kills its fenced VMs {} ms after it sent its last answered renewal; the "
            "store ended the lease "
            "{} ms or more after it received that renewal; {} ms more were waited",
            sight->ttl.count - sight->ttl.count / 8, sight->ttl.count, proof.waited_ms);
    }
    ++counters_.failovers;
    deps_.log.warn(
        "failing over",
        {{"vm", vm.key}, {"from", from}, {"to", placement.node}, {"epoch", placement.epoch}});
    Proposal proposal{.about = {vm.key}, .from = from};
    ++in_doubt_[from];
    dirty_nodes_.insert(from);
    compare_vm(vm, proposal.transaction);
    proposal.transaction.compares.push_back({model::vm_key(vm.project(), vm.name(), "status"),
                                             vm.status ? vm.status->mod_revision : 0});
    if (!mutant(MutantId::kFailoverUnproven))
        proposal.transaction.compares.push_back({model::node_key(from, "lease"), 0});
    if (placed) {
        compare_host(decision.host, proposal.transaction);
        compare_company(vm, decision.host, proposal.transaction);
    }
    proposal.transaction.puts.push_back(placement_put(vm, placement));
    if (!mutant(MutantId::kFailoverSilent))
        proposal.transaction.puts.push_back(
            {.key = model::failover_key(make_id(deps_.random)), .value = model::to_json(proof)});
    propose(std::move(proposal));
}

// False: it fits nowhere else.
bool Controller::keep_room_elsewhere(const view::VmEntry& vm) {
    const auto request = request_of(vm, *deps_.view.current());
    inventory_.uncount(vm.key);
    const scheduler::Decision decision = scheduler::place(inventory_.cluster(), *request, policy_);
    inventory_.count(request, std::string(vm.node()), assignment_of(vm.placement->value));
    if (decision.outcome != scheduler::Outcome::kPlaced || decision.host == vm.node()) return false;
    if (!mutant(MutantId::kDrainUnheld))
        inventory_.hold(*request, decision.host, decision.assignment);
    return true;
}

// Who was told to leave for a drain or a rebalance counts on room elsewhere, also when the picture
// has been made anew.
void Controller::keep_room_for_who_leaves(const view::Snapshot& state) {
    std::set<std::string> moving;
    state.operations.for_each([&](const std::shared_ptr<const view::OperationEntry>& operation) {
        if (operation->record) moving.insert(operation->record->value.moving);
    });
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        const bool leaves = vm->record && vm->not_understood == 0 && !vm->node().empty() &&
                            vm->placement->value.release && !busy_.contains(vm->key);
        if (leaves && (host_view(vm->node()).draining || moving.contains(vm->key)))
            keep_room_elsewhere(*vm);
    });
}

void Controller::drain_vm(const view::VmEntry& vm) {
    if (volumes_at(vm).its_host || mutant(MutantId::kDrainForgotten)) return;
    if (waits_for_others(vm)) {
        dirty_vms_.insert(vm.key);
        return;
    }
    if (keep_room_elsewhere(vm)) propose_release(vm, fmt::format("drain of host {}", vm.node()));
}

}  // namespace blixard::controller
