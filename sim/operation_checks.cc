// What must hold of operations, and of the records of failovers.
#include <fmt/format.h>

#include <algorithm>

#include "agent/lease.h"
#include "controller/election.h"
#include "controller/liveness.h"
#include "model/documents.h"
#include "model/keys.h"
#include "sim/checker.h"

namespace blixard::sim {

// Who waits for it would wait for ever, or go on too early; and what it counts is there.
void Checker::check_operation(const std::string& id) {
    const view::OperationEntry* entry = state_.operations.find(id);
    if (!entry) return;
    counted();
    using State = model::OperationState;
    const model::Operation& now = entry->record->value;
    const auto [at, is_new] = operations_.try_emplace(id, now);
    const model::Operation then = std::exchange(at->second, now);
    const auto wrong = [&](std::string what) {
        broken(fmt::format("operation {} ({} of {}) {}", id, now.kind, now.target, what));
    };
    if ((now.state == State::kRunning) != now.ended_at.empty())
        wrong(now.ended_at.empty() ? "has ended, and says not when"
                                   : "runs, and says when it ended");
    if (!is_new && then.state != State::kRunning) wrong("had ended, and was changed");
    if (now.done < 0 || now.blocked < 0 || (now.total > 0 && now.done + now.blocked > now.total))
        wrong(fmt::format("counts {} done and {} blocked of {}", now.done, now.blocked, now.total));
    if (now.total < then.total)
        wrong(fmt::format("had {} to do, and has {} in all", then.total, now.total));
    if (is_new) operations_since_[id] = clock_.mono();
    if (is_new && now.kind == "node-drain") check_one_drain(id, now);
    if (now.kind == "node-drain") check_drain(id, now);
    if (now.kind == "rebalance" && !is_new) check_rebalance(id, then, now);
}

// Who asks for what is under way is shown that.
void Checker::check_one_drain(const std::string& id, const model::Operation& now) {
    for (const auto& [other, operation] : operations_)
        if (other != id && operation.kind == now.kind && operation.target == now.target &&
            operation.state == model::OperationState::kRunning &&
            clock_.mono() - operations_since_[other] > kDecidedWithin)
            broken(fmt::format("operation {} drains {}, as does {}", id, now.target, other));
}

void Checker::check_drain(const std::string& id, const model::Operation& now) {
    using State = model::OperationState;
    const auto wrong = [&](std::string what) {
        broken(fmt::format("operation {}, the drain of {}, {}", id, now.target, what));
    };
    if (now.state == State::kRunning && now.total > 0 && now.done == now.total)
        wrong("is said to run on, and nothing is left to do");
    const auto named = now.message.empty() ? 0 : 1 + std::ranges::count(now.message, ';');
    if (now.blocked != named)
        wrong(fmt::format("says that {} VMs cannot leave, and names {}", now.blocked, named));
    const auto draining = drained_since_.find(now.target.substr(now.target.find('/') + 1));
    const bool drains = draining != drained_since_.end();
    const bool long_since = drains && clock_.mono() - draining->second > kDecidedWithin;
    if (now.state == State::kCancelled && long_since) wrong("is cancelled, and the host drains on");
    if (now.state == State::kDone && now.done != now.total)
        wrong(fmt::format("is done, and {} of {} VMs have left", now.done, now.total));
    if (now.state != State::kDone || !drains || !understands_all()) return;
    state_.for_each_vm_on(draining->first, [&](const view::VmEntry& vm) {
        wrong(fmt::format("is done, and vm {} has its place there", vm.key));
        return false;
    });
}

void Checker::check_rebalance(const std::string& id, const model::Operation& then,
                              const model::Operation& now) {
    using State = model::OperationState;
    const auto wrong = [&](std::string what) {
        broken(fmt::format("operation {}, a rebalance, {}", id, what));
    };
    if (now.state != State::kRunning && now.state != State::kCancelled && !now.moving.empty())
        wrong(fmt::format("has ended, and moves vm {}", now.moving));
    if (now.done > now.total) wrong(fmt::format("made {} moves of {}", now.done, now.total));
    const bool same_again =
        !now.moving.empty() && now.done == then.done + 1;  // one that moves twice
    if (now.moving == then.moving && now.done != then.done && !same_again)
        wrong(fmt::format("counts {} moves after {}, and none has ended", now.done, then.done));
    if (!now.moving.empty() && now.moving != then.moving) {
        const view::VmEntry* vm = state_.vms.find(now.moving);
        if (!vm || !vm->record || !vm->placement || !vm->placement->value.release ||
            vm->record->value.spec.run != model::Run::kRunning)
            wrong(fmt::format("moves vm {}, which is not told to leave, or shall not run",
                              now.moving));
        state_.operations.for_each(
            [&](const std::shared_ptr<const view::OperationEntry>& operation) {
                const model::Operation& other = operation->record->value;
                if (operation->key != id && other.kind == now.kind &&
                    other.state == State::kRunning && !other.moving.empty())
                    wrong(
                        fmt::format("moves vm {} beside operation {}", now.moving, operation->key));
            });
    }
    if (then.moving.empty() || now.moving == then.moving) return;
    const view::VmEntry* vm = state_.vms.find(then.moving);
    const bool wanted = vm && vm->record && vm->record->value.deleted_at.empty() &&
                        vm->record->value.spec.run != model::Run::kStopped;
    if (now.done == then.done + 1 && wanted && vm->placement && vm->placement->value.release)
        wrong(fmt::format("counts vm {} as moved, which has not left yet", then.moving));
    if (now.state == State::kFailed && wanted && !vm->node().empty() && vm->status &&
        vm->status->value.pid != 0)
        wrong(fmt::format("failed for vm {}, which runs on {}", then.moving, vm->node()));
    // People have not touched it: it is where it was to go, or waits for a place.
    const auto changed = spec_changed_.find(then.moving);
    const bool untouched = wanted && (changed == spec_changed_.end() ||
                                      clock_.mono() - changed->second > kDecidedWithin);
    if (now.done == then.done && untouched && now.state != State::kFailed)
        wrong(fmt::format("does not count the move of vm {}", then.moving));
    if (now.done == then.done + 1 && untouched && vm->node().empty())
        wrong(fmt::format("counts vm {} as moved, which has no place", then.moving));
}

void Checker::check_failover(const view::FailoverEntry& failover) {
    counted();
    const model::Failover& proof = failover.record->value;
    const std::string vm = proof.project + "/" + proof.vm;
    const auto wrong = [&](std::string what) {
        broken(fmt::format("failover of {} from {}: {}", vm, proof.from_node, what));
    };
    const view::NodeEntry* from = state_.nodes.find(proof.from_node);
    if (from && from->lease) wrong("the host has its lease key");
    if (proof.lease != 0 && backend_.lease_deadline(proof.lease))
        wrong(fmt::format("its lease {} has not ended", proof.lease));
    not_running(proof.uid, fmt::format("vm {} was failed over from {}", vm, proof.from_node));
    const view::VmEntry* entry = state_.vms.find(vm);
    if (!entry || !entry->record || !entry->placement) return wrong("there is no such VM");
    const model::Placement& placement = entry->placement->value;
    if (placement.uid != proof.uid || placement.node != proof.to_node ||
        placement.epoch != proof.new_epoch)
        wrong("the record speaks of another placement");
    if (proof.to_node.empty() ? proof.new_epoch != proof.old_epoch
                              : proof.new_epoch != proof.old_epoch + 1)
        wrong(fmt::format("epoch {} after {}", proof.new_epoch, proof.old_epoch));
    if (proof.proof != "lease-ended" && proof.proof != "operator-vouched") wrong("without a proof");
    const bool vouched = proof.proof == "operator-vouched";
    if (vouched && (!from || !from->spec || from->spec->value.lost_at.empty()))
        wrong("nobody had vouched for it");
    const bool unfenced = entry->record->value.spec.ha == model::Ha::kNone;
    const bool ran = entry->status && entry->status->value.uid == proof.uid &&
                     entry->status->value.epoch == proof.old_epoch;
    if (unfenced && ran && !vouched) wrong("it is not fenced, and nobody vouched for the host");
    failed_over_.insert(fmt::format("{} {}", proof.uid, proof.new_epoch));
    const auto end = lease_ends_.find(proof.from_node);
    if (end == lease_ends_.end()) return;  // a host that never had one
    if (!from) return;  // people have removed it, while nobody could read that something was there
    if (proof.lease_gone_revision != 0 && proof.lease_gone_revision < end->second.revision)
        wrong(fmt::format("its lease ended at revision {}, the record says {}",
                          end->second.revision, proof.lease_gone_revision));
    // Who has read the state since may never have heard of that lease.
    const auto watching = watching_since_.find(controller::elected_node(state_.election.value));
    const bool could_know = watching != watching_since_.end() && watching->second < end->second.at;
    if (could_know && proof.lease_gone_revision != end->second.revision)
        wrong(fmt::format("its lease ended at revision {}, the record says {}",
                          end->second.revision, proof.lease_gone_revision));
    if (could_know && proof.lease != 0 && proof.lease != end->second.lease)
        wrong(fmt::format("its lease was {}, the record says {}", end->second.lease, proof.lease));
    if (proof.lease_ttl_ms != agent::LeaseSettings{}.ttl.count)
        wrong(fmt::format("the record says that its lease had {} ms", proof.lease_ttl_ms));
    check_lease_named(proof, end->second);
    // The controller's clock may run fast, by less than a fiftieth.
    const Millis margin = controller::drift_margin(agent::LeaseSettings{}.ttl);
    const Millis waited = clock_.mono() - end->second.at;
    if (proof.waited_ms > waited.count + waited.count / 50 + 1)
        wrong(fmt::format("{} ms after its lease ended, the record says {}", waited.count,
                          proof.waited_ms));
    if (proof.waited_ms < margin.count)
        wrong(fmt::format("the record says that {} ms were waited; {} ms must be", proof.waited_ms,
                          margin.count));
    if (waited < margin - margin / 50)
        wrong(fmt::format("{} ms after its lease ended; {} ms must be waited", waited.count,
                          margin.count));
}

// Who has watched for long, and has seen the lease for long, names it.
void Checker::check_lease_named(const model::Failover& proof, const LeaseEnd& end) {
    const auto watching = watching_since_.find(controller::elected_node(state_.election.value));
    const bool knows_it = watching != watching_since_.end() &&
                          end.at - watching->second > kDecidedWithin &&
                          end.at - end.held_since > kDecidedWithin;
    if (knows_it && proof.lease == 0)
        broken(fmt::format("failover of {}/{} from {}: the record names no lease", proof.project,
                           proof.vm, proof.from_node));
}

void Checker::note_lease(const store::Change& change) {
    const std::string host(model::parse_key(change.item.key).name);
    LeaseHeld& held = leases_held_[host];
    if (change.deleted) {
        lease_ends_[host] = {clock_.mono(), change.item.mod_revision, held.lease, held.since};
        leases_held_.erase(host);
        return;
    }
    const auto now = model::parse_node_lease(change.item.value, model::Mode::kLenient);
    if (now && now->lease != held.lease) held = {now->lease, clock_.mono()};
}

}  // namespace blixard::sim
