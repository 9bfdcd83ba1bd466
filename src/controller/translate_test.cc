#include "controller/translate.h"

#include <gtest/gtest.h>

#include "scheduler/rules.h"

namespace blixard::controller {
namespace {

// Otherwise one project could keep the VMs of another off its hosts, by a rule against their labels.
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

// A large VM that waits is why somebody asks for a rebalance.
TEST(LearnMix, who_waits_counts_where_nobody_else_counts_it) {
    view::Snapshot state;
    auto vm = std::make_shared<view::VmEntry>();
    vm->key = "default/large";
    vm->project_size = 7;
    vm->record = std::make_shared<view::Part<model::VmRecord>>();
    state.vms.put(vm);
    scheduler::Cluster without, with;
    learn_mix(without, state, Waiting::kLeftOut);
    learn_mix(with, state, Waiting::kCounted);
    EXPECT_EQ(without.mix().observed(), 0);
    EXPECT_EQ(with.mix().observed(), 1);
}

}  // namespace
}  // namespace blixard::controller
