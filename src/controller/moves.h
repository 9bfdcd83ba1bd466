// One move of a rebalance, as the VM's placement tells it. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "view/snapshot.h"

namespace blixard::controller {

// A placement whose reason begins with this was released for a move.
inline constexpr std::string_view kRebalanceReason = "rebalance";

enum class MoveState : std::uint8_t {
    kUnderWay,  // being stopped, looking for its place, or about to start
    kArrived,   // it has a process again, or its new host has tried to start it
    kGone,      // somebody has stopped or deleted it since: there is nothing to wait for
    kHomeless,  // stopped, and fits nowhere now
};
MoveState move_state(const view::VmEntry* vm);

}  // namespace blixard::controller
