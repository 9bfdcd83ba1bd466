// A rebalance: what it moves, and when it ends.
#include "controller/test_control_plane.h"

namespace blixard::controller {
namespace {

// Two hosts with a small VM each, and VMs that want a whole host.
class Scattered : public ControlPlane {
 protected:
    Scattered() {
        add_hosts(2);
        for (const char* name : {"small-1", "small-2"})
            create(name, [&](model::VmSpec& spec) {
                spec.constraints.node = name == std::string("small-1") ? "h1" : "h2";
            });
        for (const char* name : {"small-1", "small-2"}) {
            EXPECT_TRUE(reaches(name, model::Phase::kRunning));
            change(name, [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
        }
        for (int i = 0; i < 3; ++i)
            create(fmt::format("whole-{}", i), [](model::VmSpec& spec) {
                spec.cpus = 200;
                spec.memory_mib = 4000;
            });
        loop.run_for(seconds(5));
    }
    void begin(std::int64_t moves, const std::string& id = "op") {
        put(model::operation_key(id),
            model::to_json(model::Operation{
                .kind = "rebalance", .target = "cluster", .total = moves, .unit = "moves"}));
    }
    model::Operation operation() {
        state = store_view->current();
        return state->operations.find("op")->record->value;
    }
    bool ends() {
        return loop.run_until(
            [&] {
                EXPECT_LE(running_on_hosts("small-1"), 1);
                EXPECT_LE(running_on_hosts("small-2"), 1);
                state = store_view->current();
                return state->operations.find("op") &&
                       operation().state != model::OperationState::kRunning;
            },
            seconds(300));
    }
};

TEST_F(Scattered, rebalancing_moves_what_regains_room_and_ends) {
    EXPECT_EQ(vm("whole-0")->phase, model::Phase::kPending);
    begin(10);
    ASSERT_TRUE(ends());
    EXPECT_EQ(operation().state, model::OperationState::kDone);
    EXPECT_EQ(operation().done, 1);
    EXPECT_EQ(operation().message, "");
    EXPECT_EQ(node_of("small-1"), node_of("small-2"));
    EXPECT_EQ(vm("small-1")->phase, model::Phase::kRunning);
    EXPECT_EQ(vm("small-2")->phase, model::Phase::kRunning);
    ASSERT_TRUE(reaches("whole-0", model::Phase::kRunning)) << "that is what it was for";
}

TEST_F(Scattered, a_rebalance_goes_on_when_its_controller_dies) {
    begin(10);
    ASSERT_TRUE(loop.run_until([&] {
        return vm("small-1")->placement->value.release || vm("small-2")->placement->value.release;
    }));
    EXPECT_EQ(operation().moving.substr(0, 8), "default/");
    EXPECT_EQ(operation().message.substr(0, 15), "moving default/");
    for (auto& [name, host] : hosts) {
        if (!host->controller->elected()) continue;
        host->kill_daemon();
        restart_daemon(name);
        break;
    }
    ASSERT_TRUE(ends());
    EXPECT_EQ(operation().state, model::OperationState::kDone);
    EXPECT_EQ(operation().done, 1);
    EXPECT_EQ(node_of("small-1"), node_of("small-2"));
}

// Begun through two hosts at once, neither of which knew of the other's.
TEST_F(Scattered, of_two_rebalances_the_first_is_carried_out_and_the_other_says_so) {
    begin(10, "op");
    begin(10, "another");
    ASSERT_TRUE(ends());
    EXPECT_EQ(operation().state, model::OperationState::kDone);
    EXPECT_EQ(operation().done, 1);
    const model::Operation& other = state->operations.find("another")->record->value;
    EXPECT_EQ(other.state, model::OperationState::kCancelled);
    EXPECT_EQ(other.message, "another rebalance was under way: op");
    EXPECT_FALSE(other.ended_at.empty());
    EXPECT_EQ(other.done, 0);
}

TEST_F(Scattered, a_rebalance_of_no_moves_makes_none_and_a_cancelled_one_stops) {
    begin(0);
    ASSERT_TRUE(ends());
    EXPECT_NE(node_of("small-1"), node_of("small-2"));
    model::Operation cancelled = operation();
    cancelled.state = model::OperationState::kCancelled;
    cancelled.total = 10;
    put(model::operation_key("op"), model::to_json(cancelled));
    loop.run_for(seconds(60));
    EXPECT_NE(node_of("small-1"), node_of("small-2"));
}

// A paused VM would lose what it has in memory.
TEST_F(Scattered, only_running_vms_are_moved) {
    for (const char* name : {"small-1", "small-2"}) {
        change(name, [](model::VmRecord& record) { record.spec.run = model::Run::kPaused; });
        ASSERT_TRUE(reaches(name, model::Phase::kPaused));
    }
    begin(10);
    ASSERT_TRUE(ends());
    EXPECT_EQ(operation().done, 0);
    EXPECT_NE(node_of("small-1"), node_of("small-2"));
}

}  // namespace
}  // namespace blixard::controller
