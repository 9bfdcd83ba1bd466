#include "controller/translate.h"

#include <gtest/gtest.h>

#include "controller/needs.h"
#include "scheduler/rules.h"

namespace blixard::controller {
namespace {

// Otherwise one project could keep the VMs of another off its hosts, by a rule against their
// labels.
TEST(RequestOf, a_rule_by_labels_speaks_of_its_own_project_alone) {
    model::VmSpec spec;
    spec.labels = {{"app", "db"}};
    spec.affinity = {{.anti = true, .labels = {{"app", "db"}}}};
    const view::Snapshot state;
    const scheduler::Request mine = request_of("mine", "a", spec, state);
    const scheduler::Selector& target = mine.affinities.at(0).target;
    EXPECT_TRUE(scheduler::matches(target, request_of("mine", "b", spec, state)));
    EXPECT_FALSE(scheduler::matches(target, request_of("others", "b", spec, state)));
}

TEST(RequestOf, devices_by_kind_and_model) {
    model::VmSpec spec;
    spec.constraints.devices = {{.kind = "gpu", .models = {"10de:20b0"}, .count = 2},
                                {.kind = "pci", .models = {"8086:1572"}}};
    const scheduler::Request request = request_of("p", "a", spec, view::Snapshot{});
    EXPECT_EQ(request.gpu.count, 2);
    EXPECT_EQ(request.gpu.milli_each, 1000);
    EXPECT_EQ(request.gpu.models, spec.constraints.devices[0].models);
    EXPECT_EQ(request.devices, (std::vector<scheduler::Devices>{{"8086:1572", 1}}));
}

// A large VM that waits is why somebody asks for a rebalance; one that never ran and shall not is
// no demand. Its strategy says more than where: "priority" may evict others there.
TEST(RequestOf, a_vm_that_is_bound_to_a_host_keeps_its_strategy) {
    model::VmSpec spec;
    spec.constraints.node = "h2";
    const view::Snapshot state;
    EXPECT_EQ(request_of("p", "a", spec, state).strategy, scheduler::Strategy::kManual);
    spec.strategy = "priority";
    const scheduler::Request request = request_of("p", "a", spec, state);
    EXPECT_EQ(request.strategy, scheduler::Strategy::kPriority);
    EXPECT_EQ(request.manual_host, "h2");
}

// A newer version has written something of it: neither others nor a rebalance have it leave.
TEST(RequestOf, what_is_not_understood_makes_no_way) {
    view::VmEntry vm;
    vm.key = "default/vm";
    vm.project_size = 7;
    auto record = std::make_shared<view::Part<model::VmRecord>>();
    record->value.spec.run = model::Run::kRunning;
    record->value.spec.preemptible = true;
    vm.record = record;
    vm.placement = std::make_shared<view::Part<model::Placement>>();
    vm.phase = model::Phase::kRunning;
    EXPECT_TRUE(request_of(vm, view::Snapshot{})->preemptible);
    EXPECT_TRUE(movable(vm));
    vm.not_understood = 4;
    EXPECT_FALSE(request_of(vm, view::Snapshot{})->preemptible);
    EXPECT_FALSE(movable(vm));
}

TEST(LearnMix, who_waits_counts_and_who_is_stopped_does_not) {
    view::Snapshot state;
    const auto put = [&](const char* key, model::Run run) {
        auto vm = std::make_shared<view::VmEntry>();
        vm->key = key;
        vm->project_size = 7;
        auto record = std::make_shared<view::Part<model::VmRecord>>();
        record->value.spec.run = run;
        vm->record = std::move(record);
        state.vms.put(vm);
    };
    put("default/large", model::Run::kRunning);
    put("default/later", model::Run::kStopped);
    scheduler::Cluster cluster;
    learn_mix(cluster, state);
    EXPECT_EQ(cluster.mix().observed(), 1);
}

}  // namespace
}  // namespace blixard::controller
