// Agents that look at all of their VMs only when something has happened: what waits for time, or
// for another attempt, is looked at by itself. Found by the simulation, where half of the seeds run
// so.
#include "controller/test_control_plane.h"

namespace blixard::controller {
namespace {

class WithoutSafetyNets : public ControlPlane {
 protected:
    WithoutSafetyNets() {
        look_at_all_every = seconds(1'000'000);
        add_hosts(1);
    }
};

TEST_F(WithoutSafetyNets, a_volume_that_could_not_be_deleted_is_tried_again) {
    const std::string key = model::volume_key("default", "data", "spec");
    model::VolumeRecord volume{.uid = "v", .size_mib = 10};
    put(key, model::to_json(volume));
    put(model::volume_key("default", "data", "status"),
        model::to_json(model::VolumeStatus{.state = model::VolumeState::kReady, .node = "h1"}));
    loop.run_for(seconds(1));
    hosts["h1"]->machines.set_storage_away(true);
    volume.deleted_at = "2026-01-02T03:04:05.000Z";
    put(key, model::to_json(volume));
    loop.run_for(seconds(2));
    hosts["h1"]->machines.set_storage_away(false);
    EXPECT_TRUE(loop.run_until(
        [&] { return store_view->current()->volumes.find("default/data") == nullptr; },
        seconds(10)));
}

// The view shows that it runs, and it is looked at, before the write that said so is answered.
TEST_F(WithoutSafetyNets, what_came_about_while_a_status_was_being_written_is_said) {
    create("web");
    ASSERT_TRUE(loop.run_until([&] { return hosts["h1"]->machines.runs("default/web"); }));
    hosts["h1"]->store->set_link({.delay = Millis{300}});
    change("web", [](model::VmRecord& record) { record.spec.run = model::Run::kPaused; });
    EXPECT_TRUE(reaches("web", model::Phase::kPaused));
}

TEST_F(WithoutSafetyNets, a_vm_that_ran_well_for_long_is_restarted_as_if_for_the_first_time) {
    create("web");
    const auto crash = [&] {
        ASSERT_TRUE(reaches("web", model::Phase::kRunning));
        hosts["h1"]->machines.crash("default/web", {.signal = 9});
        ASSERT_TRUE(loop.run_until([&] { return vm("web")->phase != model::Phase::kRunning; }));
        ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    };
    crash();
    EXPECT_EQ(vm("web")->status->value.restarts, 1);
    crash();
    EXPECT_EQ(vm("web")->status->value.restarts, 2);
    loop.run_for(seconds(700));
    crash();
    EXPECT_EQ(vm("web")->status->value.restarts, 1);
}

}  // namespace
}  // namespace blixard::controller
