#include "controller/moves.h"

namespace blixard::controller {
MoveState move_state(const view::VmEntry* vm) {
    if (!vm || !vm->record || !vm->placement) return MoveState::kGone;
    if (!vm->record->value.deleted_at.empty() || vm->record->value.spec.run == model::Run::kStopped)
        return MoveState::kGone;
    const model::Placement& placement = vm->placement->value;
    if (placement.release) return MoveState::kUnderWay;
    if (placement.node.empty())
        return placement.reason.starts_with(kRebalanceReason) ? MoveState::kUnderWay
                                                              : MoveState::kHomeless;
    // Once there is a process there is nothing to wait for: its monitor may stay silent for good.
    const bool starting =
        vm->phase == model::Phase::kScheduled ||
        (vm->phase == model::Phase::kStarting && (!vm->status || vm->status->value.pid == 0));
    return starting ? MoveState::kUnderWay : MoveState::kArrived;
}

}  // namespace blixard::controller
