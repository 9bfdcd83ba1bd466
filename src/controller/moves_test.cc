#include "controller/moves.h"

#include <gtest/gtest.h>

namespace blixard::controller {
namespace {

// The story of a VM whose monitor never answered at its new host, and that is never restarted: the
// rebalance that had moved it did not end.
TEST(Moves, a_vm_whose_process_lives_has_arrived_though_it_says_nothing) {
    view::VmEntry vm;
    auto record = std::make_shared<view::Part<model::VmRecord>>();
    auto placement = std::make_shared<view::Part<model::Placement>>();
    auto status = std::make_shared<view::Part<model::VmStatus>>();
    placement->value.node = "h2";
    vm.record = record;
    vm.placement = placement;
    vm.status = status;
    vm.phase = model::Phase::kStarting;
    EXPECT_EQ(move_state(&vm), MoveState::kUnderWay);
    status->value.pid = 17;
    EXPECT_EQ(move_state(&vm), MoveState::kArrived);
}

}  // namespace
}  // namespace blixard::controller
