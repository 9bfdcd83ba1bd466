// Each strategy's formula (README.md) with numbers worked out by hand.
#include <gtest/gtest.h>

#include <map>

#include "scheduler/testing.h"

namespace blixard::scheduler {
namespace {

struct Scoring : testing::Test {
    Cluster cluster;
    Policy policy;

    void add(Host host) { ASSERT_TRUE(cluster.upsert_host(std::move(host))); }
    void lies(Request request, std::string_view host, const Assignment& assignment = {}) {
        ASSERT_TRUE(cluster.place(shared(std::move(request)), host, assignment));
    }
    // What every host that the VM fits on would score.
    std::map<std::string, double> scores(const Request& request) {
        policy.runners_up = 10;
        auto decision = place(cluster, request, policy);
        std::map<std::string, double> scores{{decision.host, decision.score}};
        for (const auto& other : decision.runners_up) scores[other.host] = other.score;
        return scores;
    }
};

Request by(Strategy strategy, Request request) {
    request.strategy = strategy;
    return request;
}

Host with_gpus(Host host, int count, const std::string& model) {
    for (int i = 0; i < count; ++i) host.gpus.push_back({model, 1000});
    return host;
}

Request with_gpu(Request request, std::int32_t milli, std::vector<std::string> models = {}) {
    request.gpu = {1, milli, std::move(models)};
    return request;
}

TEST_F(Scoring, most_available_counts_the_disk_half) {
    add(a_host("a", 10, 10'000, 1'000));
    auto vm = a_vm("v", 2, 1'000);
    vm.need.disk_mib = 500;
    // (0.8 + 0.9 + 0.5 * 0.5) / 2.5
    EXPECT_NEAR(scores(by(Strategy::kMostAvailable, vm)).at("a"), 78.0, 1e-9);
    EXPECT_NEAR(scores(by(Strategy::kLeastAvailable, vm)).at("a"), 22.0, 1e-9);
}

TEST_F(Scoring, most_available_weighs_as_the_policy_says) {
    add(a_host("a", 10, 10'000));
    policy.weight_cpu = 3.0;
    // (3 * 0.8 + 0.9) / 4
    EXPECT_NEAR(scores(by(Strategy::kMostAvailable, a_vm("v", 2, 1'000))).at("a"), 82.5, 1e-9);
}

TEST_F(Scoring, round_robin_counts_placements_since_the_host_was_used) {
    for (auto name : {"a", "b", "c"}) add(a_host(name, 8, 8192));
    lies(a_vm("1", 1, 1), "a");
    lies(a_vm("2", 1, 1), "b");
    lies(a_vm("3", 1, 1), "b");
    auto found = scores(by(Strategy::kRoundRobin, a_vm("v", 1, 1)));
    EXPECT_EQ(found, (std::map<std::string, double>{{"a", 2.0}, {"b", 0.0}, {"c", 3.0}}));
}

TEST_F(Scoring, manual_gives_no_points_and_the_named_host_only) {
    add(a_host("a", 8, 8192));
    add(a_host("b", 8, 8192));
    auto vm = by(Strategy::kManual, a_vm("v", 1, 1));
    vm.manual_host = "b";
    EXPECT_EQ(scores(vm), (std::map<std::string, double>{{"b", 0.0}}));
}

TEST_F(Scoring, priority_mixes_head_room_and_packing) {
    add(a_host("a", 10, 10'000));  // 80 % free after
    add(a_host("b", 20, 20'000));  // 90 % free after
    auto vm = by(Strategy::kPriority, a_vm("v", 2, 2'000));
    vm.priority = 250;
    auto found = scores(vm);
    EXPECT_NEAR(found.at("a"), 35.0, 1e-9);  // 0.25 * 80 + 0.75 * 20
    EXPECT_NEAR(found.at("b"), 30.0, 1e-9);  // 0.25 * 90 + 0.75 * 10
}

TEST_F(Scoring, locality_adds_the_zone_to_the_room_lost) {
    auto a = a_host("a", 5, 5'000);
    a.zone = "z1";
    auto b = a_host("b", 8, 8'000);
    b.zone = "z2";
    add(a);
    add(b);
    for (int i = 0; i < 8; ++i) cluster.observe(a_vm("x", 4, 4'000));
    auto vm = by(Strategy::kLocality, a_vm("v", 1, 1'000));
    vm.zones.preferred = {"z2"};
    // a: 1 CPU was of no use and is taken: 1. b: 8 CPUs hold two of the usual VMs, 7 one: 0 - 3
    // + 50.
    auto found = scores(vm);
    EXPECT_DOUBLE_EQ(found.at("a"), 1.0);
    EXPECT_DOUBLE_EQ(found.at("b"), 47.0);
    auto decision = place(cluster, vm, policy);
    EXPECT_EQ(decision.parts,
              (std::vector<ScorePart>{{"room lost", -3.0}, {"preferred zone", 50.0}}));
}

TEST_F(Scoring, spread_counts_the_group_in_the_domain_then_on_the_host_then_the_room) {
    for (auto [name, zone] : {std::pair("a", "z1"), std::pair("b", "z1"), std::pair("c", "z2")}) {
        auto host = a_host(name, 8, 8192);
        host.zone = zone;
        add(host);
    }
    lies(a_vm("1", 1, 1024), "a");
    lies(a_vm("2", 1, 1024), "c");
    auto found = scores(by(Strategy::kSpread, a_vm("v", 1, 1024)));
    // Two of the group have a place, one in each zone: -100/3 everywhere. On a and c one is on the
    // host, -10/3, and 75 % are free after; on b 87.5 %.
    EXPECT_NEAR(found.at("a"), -100.0 / 3 - 10.0 / 3 + 0.75, 1e-9);
    EXPECT_NEAR(found.at("b"), -100.0 / 3 + 0.875, 1e-9);
    EXPECT_NEAR(found.at("c"), -100.0 / 3 - 10.0 / 3 + 0.75, 1e-9);
}

TEST_F(Scoring, cost_is_the_larger_share_of_the_price) {
    auto a = a_host("a", 10, 10'000);
    a.cost_per_hour = 2.0;
    add(a);
    // 2 of 10 CPUs, 5,000 of 10,000 MiB
    EXPECT_DOUBLE_EQ(scores(by(Strategy::kCost, a_vm("v", 2, 5'000))).at("a"), -1.0);
}

TEST_F(Scoring, soft_rules_are_subtracted_from_any_strategy) {
    add(a_host("a", 10, 10'000));
    add(a_host("b", 10, 10'000));
    for (auto name : {"w1", "w2"}) {
        auto other = a_vm(name, 1, 1'000);
        other.labels = {{"app", "web"}};
        lies(other, "a");
    }
    auto vm = by(Strategy::kMostAvailable, a_vm("v", 1, 1'000));
    vm.affinities = {{{{}, {{"app", "web"}}}, true, false, "host", 1, 7.0}};
    auto found = scores(vm);
    EXPECT_NEAR(found.at("a"), 70.0 - 2 * 7.0, 1e-9);  // three there, one allowed: two too many
    EXPECT_NEAR(found.at("b"), 90.0, 1e-9);
}

// --- fragmentation on hosts with GPUs ---

// A GPU that is too full for the usual VM is lost to it (FGD): a share that goes there costs
// nothing, one that opens a whole GPU costs all of it.
TEST_F(Scoring, a_share_goes_to_the_gpu_that_is_of_no_use_to_the_usual_vm) {
    add(with_gpus(a_host("a", 100, 100'000), 2, "T4"));
    add(with_gpus(a_host("b", 100, 100'000), 2, "T4"));
    lies(with_gpu(a_vm("half", 1, 1'000), 500), "b", {{}, {0}});
    for (int i = 0; i < 8; ++i) cluster.observe(with_gpu(a_vm("x", 1, 1'000), 1000));
    auto vm = with_gpu(a_vm("v", 1, 1'000), 300);
    // b: 0.5 GPUs were lost on the first one, 0.2 are after: +0.3. a: nothing, then 0.7: -0.7.
    // A GPU counts as 16 CPUs.
    auto found = scores(vm);
    EXPECT_NEAR(found.at("b"), 4.8, 1e-9);
    EXPECT_NEAR(found.at("a"), -11.2, 1e-9);
    EXPECT_EQ(place(cluster, vm, policy).assignment.gpus, std::vector<std::int32_t>{0});
}

// The usual VM takes 4 CPUs with its GPU. CPUs beyond that are free to give away; below, each takes
// a quarter of the GPU that it starves.
TEST_F(Scoring, cpus_that_the_gpus_need_are_spared) {
    add(with_gpus(a_host("tight", 9, 100'000), 2, "T4"));
    add(with_gpus(a_host("wide", 64, 100'000), 2, "T4"));
    for (int i = 0; i < 8; ++i) cluster.observe(with_gpu(a_vm("x", 4, 1'000), 1000));
    auto found = scores(a_vm("v", 3, 1'000));
    EXPECT_NEAR(found.at("wide"), 0.0, 1e-9);
    // 6 CPUs are left: enough for 1.5 of 2 GPUs. 16 * 0.25 * 0.5
    EXPECT_NEAR(found.at("tight"), -2.0, 1e-9);
}

TEST_F(Scoring, a_host_on_which_the_usual_vm_cannot_run_has_lost_all_its_gpus) {
    add(with_gpus(a_host("a", 5, 100'000), 2, "T4"));
    for (int i = 0; i < 8; ++i) cluster.observe(with_gpu(a_vm("x", 4, 1'000), 1000));
    // 5 CPUs are enough for 1.25 GPUs: 0.25 * 0.75 lost before; with 3 both are.
    EXPECT_NEAR(scores(a_vm("v", 2, 1'000)).at("a"), 16 * (0.1875 - 2.0), 1e-9);
}

// Half of the requests want an A100, of which there is one; the others take any of the four GPUs.
// By share / room the weights are (1/2)/1 and (1/2)/4, that is 0.8 and 0.2.
TEST_F(Scoring, a_scarce_model_is_kept_for_those_that_need_it) {
    add(with_gpus(a_host("a100", 100, 100'000), 1, "A100"));
    add(with_gpus(a_host("t4", 100, 100'000), 3, "T4"));
    for (int i = 0; i < 4; ++i) {
        cluster.observe(with_gpu(a_vm("x", 1, 1'000), 1000, {"A100"}));
        cluster.observe(with_gpu(a_vm("y", 1, 1'000), 1000));
    }
    auto found = scores(with_gpu(a_vm("v", 1, 1'000), 1000));
    // On t4 an A100 is never found: 3 GPUs were lost to the first kind, 2 are after.
    EXPECT_NEAR(found.at("t4"), 16 * 0.8, 1e-9);
    EXPECT_NEAR(found.at("a100"), 0.0, 1e-9);
}

// Both hosts lose by the VM: five CPUs that no usual VM fits in any more, or both GPUs.
TEST_F(Scoring, a_vm_without_gpus_does_not_starve_gpus_to_save_cpus) {
    add(with_gpus(a_host("gpus", 5, 100'000), 2, "T4"));
    add(a_host("plain", 8, 100'000));
    for (int i = 0; i < 4; ++i) {
        cluster.observe(with_gpu(a_vm("x", 4, 1'000), 1000));
        cluster.observe(a_vm("y", 4, 1'000));
    }
    auto found = scores(a_vm("v", 2, 1'000));
    // plain: 8 CPUs hold two of the usual VMs, 6 one and 2 are lost.
    EXPECT_NEAR(found.at("plain"), -2.0, 1e-9);
    EXPECT_NEAR(found.at("gpus"), 16 * (0.1875 - 2.0), 1e-9);
}

// As long as nobody has asked for a GPU, a host with some is a host like others.
TEST_F(Scoring, gpus_that_nobody_asks_for_do_not_attract) {
    add(with_gpus(a_host("gpus", 8, 100'000), 2, "T4"));
    add(a_host("plain", 5, 100'000));
    for (int i = 0; i < 8; ++i) cluster.observe(a_vm("y", 4, 1'000));
    auto found = scores(a_vm("v", 1, 1'000));
    EXPECT_NEAR(found.at("gpus"), -3.0, 1e-9);
    EXPECT_NEAR(found.at("plain"), 1.0, 1e-9);
}

}  // namespace
}  // namespace blixard::scheduler
