#include "controller/needs.h"

#include "base/mutant.h"

namespace blixard::controller {
namespace {

using model::Phase;

// The agent has said, about this very placement, that the VM does not run.
bool at_rest(const view::VmEntry& vm) {
    return announced(vm) &&
           (vm.status->value.phase == Phase::kStopped || vm.status->value.phase == Phase::kFailed);
}

Need need_on_lost_host(const view::VmEntry& vm, const HostView& host, bool pinned) {
    const model::VmRecord& record = vm.record->value;
    if (!record.deleted_at.empty())
        return host.vouched || !announced(vm) ? Need::kDelete : Need::kNothing;
    // Its disk is there; it goes on when the host comes back.
    if (pinned && !host.vouched) return Need::kNothing;
    const bool may_move = mutant(MutantId::kFailoverAll) || record.spec.ha != model::Ha::kNone ||
                          host.vouched || (!announced(vm) && !mutant(MutantId::kNeverStartedStays));
    if (!may_move) return Need::kNothing;
    if (record.spec.run == model::Run::kStopped || vm.placement->value.release) return Need::kClear;
    return pinned ? Need::kNothing : Need::kFailOver;
}

}  // namespace

bool announced(const view::VmEntry& vm) {
    return vm.status && vm.placement && vm.status->value.uid == vm.placement->value.uid &&
           vm.status->value.epoch == vm.placement->value.epoch;
}

bool movable(const view::VmEntry& vm) {
    return vm.record && vm.not_understood == 0 && vm.record->value.deleted_at.empty() &&
           vm.record->value.spec.run == model::Run::kRunning && vm.placement &&
           !vm.placement->value.release &&
           (vm.phase == model::Phase::kRunning ||
            (vm.phase == model::Phase::kStarting && mutant(MutantId::kMovesStarting)));
}

Need need_of(const view::VmEntry& vm, const HostView& host, const VolumesAt& volumes) {
    if (!vm.record)
        return vm.node().empty() || !host.exists || host.lost ? Need::kDelete : Need::kNothing;
    const model::VmRecord& record = vm.record->value;
    const bool stopped = record.spec.run == model::Run::kStopped;
    const bool same_vm = vm.placement && vm.placement->value.uid == record.uid;
    if (vm.placement && !same_vm && !vm.node().empty()) return Need::kClear;
    if (vm.node().empty()) {
        if (!record.deleted_at.empty()) return Need::kDelete;
        return stopped ? Need::kNothing : Need::kPlace;
    }
    if (!host.exists || host.lost) return need_on_lost_host(vm, host, volumes.its_host);
    if (!record.deleted_at.empty()) return Need::kNothing;  // its agent finishes it
    if (stopped || vm.placement->value.release)
        return mutant(MutantId::kClearTooEarly) || at_rest(vm) || (stopped && !announced(vm))
                   ? Need::kClear
                   : Need::kNothing;
    // Another VM that names the volume, too, was the first to start, and the file was made there.
    if (!volumes.elsewhere.empty() && announced(vm) && vm.status->value.phase == Phase::kFailed)
        return Need::kFollow;
    if (host.draining) return Need::kDrain;
    return Need::kNothing;
}

}  // namespace blixard::controller
