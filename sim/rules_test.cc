#include "sim/rules.h"

#include <gtest/gtest.h>

#include "model/documents.h"
#include "model/keys.h"
#include "view/test_state.h"

namespace blixard::sim {
namespace {

// Two hosts of 4 CPUs and 1000 MiB, in two zones; and VMs as a test needs them.
struct Place : view::TestState {
    Place() {
        host("h1", "z1");
        host("h2", "z2");
    }
    void host(const std::string& name, const std::string& zone,
              model::Overcommit overcommit = model::Overcommit::kNone) {
        put(model::node_key(name, "spec"),
            model::to_json(model::NodeSpec{.uid = name, .zone = zone, .overcommit = overcommit}));
        put(model::node_key(name, "status"),
            model::to_json(
                model::NodeStatus{.uid = name, .cpus = 4, .memory_mib = 1000, .disk_mib = 1000}));
        put(model::node_key(name, "lease"),
            model::to_json(model::NodeLease{.uid = name, .lease = 1}));
    }
    void vm(const std::string& name, model::VmSpec spec, const std::string& node = {}) {
        put(model::vm_key("p", name, "spec"),
            model::to_json(model::VmRecord{.uid = name, .spec = std::move(spec)}));
        if (!node.empty())
            put(model::vm_key("p", name, "placement"),
                model::to_json(model::Placement{.uid = name, .node = node, .epoch = 1}));
    }
    std::string asked(const std::string& name, const std::string& node) {
        return Candidate(state, *state.vms.find("p/" + name)).what_forbids(*state.nodes.find(node));
    }
};

TEST(Rules, room_is_counted_over_all_that_lie_there) {
    Place place;
    place.vm("a", {.memory_mib = 600}, "h1");
    place.vm("b", {.memory_mib = 400});
    EXPECT_EQ(place.asked("b", "h1"), "");
    place.vm("b", {.memory_mib = 401});
    EXPECT_EQ(place.asked("b", "h1"),
              "host h1 gives 4000 thousandths of CPUs, 1000 MiB, 1000 MiB of disk; with vm p/b its "
              "VMs want 2000, 1001, 0");
    EXPECT_EQ(place.asked("b", "h2"), "");
}

TEST(Rules, a_reason_is_true_if_each_host_is_counted_once_under_something_that_holds_there) {
    Place place;
    place.vm("a", {.memory_mib = 600}, "h1");
    place.vm("b", {.memory_mib = 500, .constraints = {.zones_excluded = {"z2"}}});
    const auto wrong = [&](const std::string& reason) {
        return what_is_untrue(place.state, {place.state, *place.state.vms.find("p/b")}, reason);
    };
    EXPECT_EQ(wrong("fits on none of 2 hosts: 1 x memory, 1 x zone; would fit if: 100 MiB less "
                    "memory fits host h1"),
              "");
    EXPECT_EQ(wrong("fits on none of 3 hosts: 2 x memory, 1 x zone"),
              "speaks of 3 hosts, there are 2");
    EXPECT_EQ(wrong("fits on none of 2 hosts: 1 x memory"), "gives reasons for 1 of 2 hosts");
    EXPECT_EQ(wrong("fits on none of 2 hosts: 2 x memory"),
              "says memory of 2 hosts, it is true of 1");
    EXPECT_EQ(wrong("fits on none of 2 hosts: 1 x cpu, 1 x zone"),
              "says cpu of 1 hosts, it is true of 0");
    EXPECT_EQ(wrong("scheduled"), "says nothing about hosts");
}

TEST(Rules, whenever_a_reason_was_written_it_counts_each_host_once) {
    EXPECT_EQ(miscounted("fits on none of 5 hosts: 3 x memory, 2 x zone; would fit if: x"), "");
    EXPECT_EQ(miscounted("fits on none of 5 hosts: 3 x memory, 1 x zone"),
              "gives reasons for 4 of 5 hosts");
    EXPECT_EQ(miscounted("fits on none of 1 host: 1 x memory"), "");
    EXPECT_EQ(miscounted("failover: host h1 was lost"), "");
    EXPECT_EQ(miscounted("drain of host h2"), "");
}

TEST(Rules, rules_of_others_speak_of_their_own_project_and_of_domains) {
    Place place;
    place.host("h3", "z1");
    const model::AffinityRule pair{
        .anti = true, .hard = true, .labels = {{"app", "db"}}, .max_per_node = 2, .domain = "zone"};
    place.vm("a", {.affinity = {pair}, .labels = {{"app", "db"}}}, "h1");
    place.vm("b", {.labels = {{"app", "db"}}});
    EXPECT_EQ(place.asked("b", "h3"), "");
    place.vm("c", {.labels = {{"app", "db"}}}, "h3");
    EXPECT_EQ(place.asked("b", "h3"), "vm p/b breaks the rule of vm p/a on host h3");
    EXPECT_EQ(place.asked("b", "h1"), "vm p/b breaks the rule of vm p/a on host h1");
    EXPECT_EQ(place.asked("b", "h2"), "");
    place.vm("with", {.affinity = {{.labels = {{"app", "db"}}, .domain = "zone"}}});
    EXPECT_EQ(place.asked("with", "h1"), "");
    EXPECT_EQ(place.asked("with", "h2"), "vm p/with: nobody that it must be with is on host h2");
}

TEST(Rules, profiles_promise_more_or_less) {
    Place place;
    place.vm("a", {.cpus = 6, .memory_mib = 1000});
    EXPECT_NE(place.asked("a", "h1"), "");
    place.host("h1", "z1", model::Overcommit::kModerate);  // 2/1.2/1.1, 15 % held back
    EXPECT_EQ(place.asked("a", "h1"), "");
    place.vm("a", {.cpus = 6, .memory_mib = 1021});
    EXPECT_NE(place.asked("a", "h1"), "");
}

TEST(Rules, anti_affinity_binds_the_newcomer_and_those_who_are_there) {
    Place place;
    const model::AffinityRule apart{.anti = true, .hard = true, .labels = {{"app", "db"}}};
    place.vm("a", {.labels = {{"app", "db"}}}, "h1");
    place.vm("b", {.affinity = {apart}});
    EXPECT_EQ(place.asked("b", "h1"),
              "vm p/b: 1 of its group are with it on host h1, its rule allows 0");
    EXPECT_EQ(place.asked("b", "h2"), "");
    place.vm("b", {.affinity = {apart}}, "h2");
    place.vm("c", {.labels = {{"app", "db"}}});
    EXPECT_EQ(place.asked("c", "h2"), "vm p/c breaks the rule of vm p/b on host h2");
    EXPECT_EQ(place.asked("c", "h1"), "");
}

TEST(Rules, hosts_without_lease_or_cordoned_take_nobody) {
    Place place;
    place.vm("a", {});
    place.put(model::node_key("h1", "spec"),
              model::to_json(model::NodeSpec{.uid = "h1", .schedulable = false}));
    EXPECT_EQ(place.asked("a", "h1"), "host h1 is cordoned");
    view::apply_change(place.state, {.key = model::node_key("h2", "lease"), .mod_revision = 99},
                       true, place.log);
    EXPECT_EQ(place.asked("a", "h2"), "host h2 has no lease");
}

TEST(Rules, only_lower_and_preemptible_vms_make_way) {
    Place place;
    place.vm("low", {.memory_mib = 900, .priority = 100, .preemptible = true}, "h1");
    place.vm("high", {.memory_mib = 500, .priority = 200});
    const auto would = [&] {
        return Candidate(place.state, *place.state.vms.find("p/high"))
            .what_breaks_after_preemption(*place.state.nodes.find("h1"))
            .empty();
    };
    EXPECT_TRUE(would());
    place.vm("low", {.memory_mib = 900, .priority = 200, .preemptible = true}, "h1");
    EXPECT_FALSE(would());
    place.vm("low", {.memory_mib = 900, .priority = 100, .preemptible = false}, "h1");
    EXPECT_FALSE(would());
}

}  // namespace
}  // namespace blixard::sim
