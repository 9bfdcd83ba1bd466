// A host is drained: who goes, who stays and why, and when it ends.
#include "controller/test_control_plane.h"

namespace blixard::controller {
namespace {

class Drains : public ControlPlane {
 protected:
    void drain(const std::string& host) {
        model::NodeSpec spec = state->nodes.find(host)->spec->value;
        spec.draining = true;
        spec.schedulable = false;
        put(model::node_key(host, "spec"), model::to_json(spec));
        put(model::operation_key("op1"),
            model::to_json(model::Operation{.kind = "node-drain", .target = "nodes/" + host}));
    }
};

TEST_F(Drains, a_drained_host_is_left_by_its_vms) {
    add_hosts(2);
    for (int i = 0; i < 4; ++i) create(fmt::format("v{}", i));
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(reaches(fmt::format("v{}", i), model::Phase::kRunning));
    const std::string first = node_of("v0");
    drain(first);
    ASSERT_TRUE(loop.run_until(
        [&] {
            state = store_view->current();
            for (int i = 0; i < 4; ++i)
                if (vm(fmt::format("v{}", i))->phase != model::Phase::kRunning ||
                    node_of(fmt::format("v{}", i)) == first)
                    return false;
            return state->operations.find("op1")->record->value.state ==
                   model::OperationState::kDone;
        },
        seconds(120)));
}

// The story of a drain that was ended while its decision was on the way: it stopped one VM more.
TEST_F(Drains, a_drain_that_has_ended_stops_nobody) {
    add_hosts(2);
    create("web");
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    const std::string first = node_of("web");
    for (auto& [name, host] : hosts) host->store->set_link({.delay = Millis{300}});
    const model::NodeSpec before = state->nodes.find(first)->spec->value;
    model::NodeSpec draining = before;
    draining.draining = true;
    put(model::node_key(first, "spec"), model::to_json(draining));
    loop.run_for(Millis{450});  // seen after 300 ms, decided, and not yet at the store
    put(model::node_key(first, "spec"), model::to_json(before));
    loop.run_for(seconds(60));
    EXPECT_EQ(node_of("web"), first);
    EXPECT_FALSE(vm("web")->placement->value.release);
    EXPECT_EQ(hosts[first]->machines.starts().size(), 1U);
}

TEST_F(Drains, a_drain_says_which_vms_are_bound_to_the_host) {
    add_hosts(2);
    create("web", [](model::VmSpec& spec) { spec.constraints.node = "h1"; });
    ASSERT_TRUE(reaches("web", model::Phase::kRunning));
    drain("h1");
    ASSERT_TRUE(loop.run_until(
        [&] {
            state = store_view->current();
            const view::OperationEntry* drain = state->operations.find("op1");
            return drain && drain->record->value.blocked == 1 &&
                   drain->record->value.message ==
                       "default/web is bound to this host by its constraints";
        },
        seconds(60)));
    EXPECT_EQ(vm("web")->phase, model::Phase::kRunning);
}

// Two decisions never count the same room: a VM is not stopped for a place that another one gets.
TEST_F(Drains, a_drain_stops_no_more_vms_than_find_room) {
    add_hosts(2);
    const auto pinned = [](std::int64_t memory_mib, const char* node) {
        return [=](model::VmSpec& spec) {
            spec.memory_mib = memory_mib;
            spec.constraints.node = node;
        };
    };
    create("there", pinned(1500, "h2"));
    for (const char* name : {"v1", "v2", "v3"}) {
        create(name, pinned(1200, "h1"));
        ASSERT_TRUE(reaches(name, model::Phase::kRunning));
        change(name, [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
    }
    ASSERT_TRUE(reaches("there", model::Phase::kRunning));
    drain("h1");
    loop.run_for(seconds(120));
    int left = 0;
    for (const char* name : {"v1", "v2", "v3"}) {
        EXPECT_EQ(vm(name)->phase, model::Phase::kRunning) << name;
        left += node_of(name) == "h1";
    }
    EXPECT_EQ(left, 1) << "of three, two fit on h2";
    EXPECT_EQ(hosts["h1"]->machines.starts().size(), 3U) << "the one that stays was never stopped";
    EXPECT_NE(state->operations.find("op1")->record->value.message.find("fits nowhere else"),
              std::string::npos);
    // When room comes free, it goes too.
    change("there", [](model::VmRecord& record) { record.spec.run = model::Run::kStopped; });
    ASSERT_TRUE(loop.run_until(
        [&] {
            state = store_view->current();
            return state->operations.find("op1")->record->value.state ==
                   model::OperationState::kDone;
        },
        seconds(120)));
}

// Found by the simulation: what is recorded began anew between two decisions of a drain.
TEST_F(Drains, who_was_told_to_leave_has_room_when_the_controller_begins_anew) {
    add_hosts(2);
    const auto pinned = [](std::int64_t memory_mib, const char* node) {
        return [=](model::VmSpec& spec) {
            spec.memory_mib = memory_mib;
            spec.constraints.node = node;
        };
    };
    create("there", pinned(2500, "h2"));
    ASSERT_TRUE(reaches("there", model::Phase::kRunning));
    for (const char* name : {"v1", "v2"}) {
        create(name, pinned(1200, "h1"));
        ASSERT_TRUE(reaches(name, model::Phase::kRunning));
        change(name, [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
    }
    const auto told = [&](const char* name) { return vm(name)->placement->value.release; };
    drain("h1");
    ASSERT_TRUE(loop.run_until([&] { return told("v1") || told("v2"); }, seconds(60)));
    EXPECT_FALSE(told("v1") && told("v2"));
    for (auto& [name, host] : hosts) host->controller->begin_anew();
    loop.run_for(seconds(60));
    for (const char* name : {"v1", "v2"})
        EXPECT_EQ(vm(name)->phase, model::Phase::kRunning) << name;
    EXPECT_EQ(hosts["h1"]->machines.starts().size(), 2U) << "the one that stays was never stopped";
}

// Found by the simulation, as that above.
TEST_F(Drains, a_host_that_is_kept_free_is_kept_so_when_the_controller_begins_anew) {
    add_hosts(2);
    const auto pinned = [](std::int64_t memory_mib, const char* node) {
        return [=](model::VmSpec& spec) {
            spec.memory_mib = memory_mib;
            spec.constraints.node = node;
        };
    };
    create("there", pinned(2000, "h2"));
    ASSERT_TRUE(reaches("there", model::Phase::kRunning));
    create("big", pinned(3500, "h2"));
    loop.run_for(hosts.at("h1")->policy.reserve_after + seconds(30));
    create("goes", pinned(500, "h1"));
    ASSERT_TRUE(reaches("goes", model::Phase::kRunning));
    change("goes", [](model::VmRecord& record) { record.spec.constraints.node.clear(); });
    drain("h1");
    loop.run_for(seconds(10));
    ASSERT_EQ(node_of("goes"), "h1") << "h2 is kept free for one that comes first";
    for (auto& [name, host] : hosts) host->controller->begin_anew();
    loop.run_for(seconds(10));
    EXPECT_EQ(node_of("goes"), "h1");
    EXPECT_EQ(hosts["h1"]->machines.starts().size(), 1U) << "it was never stopped";
}

}  // namespace
}  // namespace blixard::controller
