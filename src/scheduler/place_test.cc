#include "scheduler/place.h"

#include <gtest/gtest.h>

#include "scheduler/testing.h"

namespace blixard::scheduler {
namespace {

struct Placing : testing::Test {
    Cluster cluster;
    Policy policy;

    void add(Host host) { ASSERT_TRUE(cluster.upsert_host(std::move(host))); }
    void lies(Request request, std::string_view host) {
        ASSERT_TRUE(cluster.place(shared(std::move(request)), host, {}));
    }
    std::vector<Failure> why(const Request& request, std::string_view host) {
        return *why_not(cluster, request, host, policy);
    }
    Reason first_reason(const Request& request, std::string_view host) {
        auto failures = why(request, host);
        EXPECT_FALSE(failures.empty());
        return failures.empty() ? Reason::kReserved : failures.front().reason;
    }
    std::string host_for(const Request& request) { return place(cluster, request, policy).host; }
};

TEST_F(Placing, overcommit_counts_after_the_reserve) {
    auto host = a_host("a", 10, 10000, 10000);
    host.overcommit = Overcommit::moderate();  // 2 / 1.2 / 1.1, 15 % kept
    add(host);
    const auto& room = cluster.host(cluster.find_host("a")).capacity;
    EXPECT_EQ(room.cpu_milli, 17000);   // 10 * 2 * 0.85
    EXPECT_EQ(room.memory_mib, 10200);  // 10000 * 1.2 * 0.85
    EXPECT_EQ(room.disk_mib, 9350);     // 10000 * 1.1 * 0.85
}

TEST_F(Placing, each_resource_says_what_is_needed_and_what_is_free) {
    add(a_host("a", 4, 4096, 1000));
    auto request = a_vm("v", 6, 8192);
    request.need.disk_mib = 2000;
    auto failures = why(request, "a");
    ASSERT_EQ(failures.size(), 3U);
    EXPECT_EQ(failures[0].reason, Reason::kCpu);
    EXPECT_EQ(failures[0].detail, "needs 6 CPUs, 4 free");
    EXPECT_EQ(failures[1].reason, Reason::kMemory);
    EXPECT_EQ(failures[1].needed - failures[1].available, 4096);
    EXPECT_EQ(failures[2].reason, Reason::kDisk);
}

TEST_F(Placing, cordoned_draining_and_lost_hosts_take_nothing) {
    for (auto [state, reason] : {std::pair(HostState::kCordoned, Reason::kCordoned),
                                 std::pair(HostState::kDraining, Reason::kDraining),
                                 std::pair(HostState::kLost, Reason::kLost)}) {
        auto host = a_host("a", 4, 4096);
        host.state = state;
        add(host);
        EXPECT_EQ(first_reason(a_vm("v", 1, 1), "a"), reason);
        EXPECT_FALSE(choose(cluster, a_vm("v", 1, 1), policy));
    }
}

TEST_F(Placing, labels_features_accelerator_and_zone_are_required) {
    auto host = a_host("a", 4, 4096);
    host.labels = {{"disk", "hdd"}};
    host.zone = "z1";
    host.accelerator = "tcg";
    add(host);
    auto with = [&](auto change) {
        auto request = a_vm("v", 1, 1);
        change(request);
        return first_reason(request, "a");
    };
    EXPECT_EQ(with([](Request& r) { r.host_labels = {{"disk", "ssd"}}; }), Reason::kLabel);
    EXPECT_EQ(with([](Request& r) { r.features = {"nested"}; }), Reason::kFeature);
    EXPECT_EQ(with([](Request& r) { r.accelerator = "kvm"; }), Reason::kAccelerator);
    EXPECT_EQ(with([](Request& r) { r.zones.excluded = {"z1"}; }), Reason::kZone);
    EXPECT_EQ(with([](Request& r) { r.excluded_hosts = {"a"}; }), Reason::kExcluded);
    EXPECT_EQ(with([](Request& r) { r.volume_pins = {{"data", "b"}}; }), Reason::kVolume);
}

TEST_F(Placing, a_vm_fits_one_numa_node_or_is_split_when_it_is_too_large) {
    auto host = a_host("a", 8, 8192);
    host.numa = {{4000, 4096}, {4000, 4096}};
    add(host);
    lies(a_vm("small", 1, 1024), "a");  // no node given: counts in the total only
    auto spot = choose(cluster, a_vm("one", 4, 4096), policy);
    ASSERT_TRUE(spot);
    EXPECT_EQ(spot->take.numa, 1U);
    auto both = choose(cluster, a_vm("two", 6, 6144), policy);
    ASSERT_TRUE(both);
    EXPECT_EQ(both->take.numa, 3U);
    auto single = a_vm("single", 6, 6144);
    single.numa = NumaPolicy::kSingle;
    EXPECT_EQ(first_reason(single, "a"), Reason::kNuma);
}

TEST_F(Placing, gpu_shares_go_to_the_gpu_that_holds_them_and_models_count) {
    auto host = a_host("a", 8, 8192);
    host.gpus = {{"T4", 1000}, {"T4", 1000}};
    add(host);
    auto half = a_vm("half", 1, 1);
    half.gpu = {1, 600, {}};
    ASSERT_TRUE(cluster.place(shared(half), *choose(cluster, half, policy)));
    auto both = a_vm("both", 1, 1);
    both.gpu = {2, 1000, {}};
    EXPECT_EQ(first_reason(both, "a"), Reason::kGpu);
    auto other = a_vm("other", 1, 1);
    other.gpu = {1, 1000, {"A100"}};
    EXPECT_EQ(first_reason(other, "a"), Reason::kGpuModel);
    auto whole = a_vm("whole", 1, 1);
    whole.gpu = {1, 1000, {"T4"}};
    EXPECT_EQ(choose(cluster, whole, policy)->take.gpus, 2U);
}

TEST_F(Placing, devices_are_counted) {
    auto host = a_host("a", 8, 8192);
    host.devices = {{"nic", 1}};
    add(host);
    auto request = a_vm("v", 1, 1);
    request.devices = {{"nic", 1}};
    EXPECT_TRUE(why(request, "a").empty());
    lies(request, "a");
    request.vm = "w";
    EXPECT_EQ(first_reason(request, "a"), Reason::kDevice);
}

TEST_F(Placing, anti_affinity_counts_the_group_and_binds_newcomers_without_a_rule) {
    add(a_host("a", 8, 8192));
    add(a_host("b", 8, 8192));
    auto db = a_vm("db-1", 1, 1);
    db.labels = {{"role", "db"}};
    db.affinities = {{{{}, {{"role", "db"}}}, true}};
    lies(db, "a");
    db.vm = "db-2";
    EXPECT_EQ(first_reason(db, "a"), Reason::kAntiAffinity);
    EXPECT_EQ(host_for(db), "b");
    auto plain = a_vm("db-3", 1, 1);
    plain.labels = {{"role", "db"}};
    EXPECT_EQ(first_reason(plain, "a"), Reason::kAntiAffinity);
    db.affinities[0].max_per_domain = 2;
    EXPECT_EQ(first_reason(db, "a"), Reason::kAntiAffinity);  // db-1's own rule still says one
}

TEST_F(Placing, anti_affinity_over_a_failure_domain) {
    for (auto [name, rack] : {std::pair("a", "r1"), std::pair("b", "r1"), std::pair("c", "r2")}) {
        auto host = a_host(name, 8, 8192);
        host.labels = {{"rack", rack}};
        add(host);
    }
    auto db = a_vm("db-1", 1, 1);
    db.labels = {{"role", "db"}};
    db.affinities = {{{{}, {{"role", "db"}}}, true, true, "rack"}};
    lies(db, "a");
    db.vm = "db-2";
    EXPECT_EQ(host_for(db), "c");
}

TEST_F(Placing, affinity_to_a_vm_without_a_place_waits_and_to_the_own_group_starts_it) {
    add(a_host("a", 8, 8192));
    auto web = a_vm("web", 1, 1);
    web.affinities = {{{"db", {}}, false}};
    auto decision = place(cluster, web, policy);
    EXPECT_EQ(decision.outcome, Outcome::kPending);
    EXPECT_EQ(decision.refusals[0].detail, "must be with db, which has no place yet");
    auto group = a_vm("g-1", 1, 1);
    group.labels = {{"g", "1"}};
    group.affinities = {{{{}, {{"g", "1"}}}, false}};
    EXPECT_EQ(host_for(group), "a");
}

TEST_F(Placing, the_quota_refuses_everywhere) {
    add(a_host("a", 8, 8192));
    policy.quota["p"].vms = 1;
    lies(a_vm("v", 1, 1), "a");
    auto decision = place(cluster, a_vm("w", 1, 1), policy);
    EXPECT_EQ(decision.outcome, Outcome::kPending);
    EXPECT_EQ(decision.refusals[0].reason, Reason::kQuota);
    EXPECT_FALSE(choose(cluster, a_vm("w", 1, 1), policy));
}

TEST_F(Placing, most_and_least_available_by_hand) {
    add(a_host("a", 10, 10000));
    add(a_host("b", 20, 10000));
    auto request = a_vm("v", 2, 1000);
    request.strategy = Strategy::kMostAvailable;
    auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.host, "b");
    EXPECT_DOUBLE_EQ(decision.score, 90.0);                   // (18/20 + 9/10) / 2
    EXPECT_DOUBLE_EQ(decision.runners_up.at(0).score, 85.0);  // (8/10 + 9/10) / 2
    request.strategy = Strategy::kLeastAvailable;
    decision = place(cluster, request, policy);
    EXPECT_EQ(decision.host, "a");
    EXPECT_NEAR(decision.score, 15.0, 1e-9);
}

TEST_F(Placing, round_robin_takes_the_host_that_waited_longest) {
    for (auto name : {"a", "b", "c"}) add(a_host(name, 8, 8192));
    std::string order;
    for (int i = 0; i < 6; ++i) {
        auto request = a_vm("v" + std::to_string(i), 1, 1);
        request.strategy = Strategy::kRoundRobin;
        auto spot = choose(cluster, request, policy);
        order += cluster.host(spot->host).spec.name;
        ASSERT_TRUE(cluster.place(shared(request), *spot));
    }
    EXPECT_EQ(order, "abcabc");
}

TEST_F(Placing, manual_goes_there_or_nowhere) {
    add(a_host("a", 8, 8192));
    add(a_host("b", 1, 1));
    auto request = a_vm("v", 2, 2);
    request.strategy = Strategy::kManual;
    EXPECT_EQ(place(cluster, request, policy).outcome, Outcome::kRefused);
    request.manual_host = "b";
    auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.outcome, Outcome::kPending);
    request.manual_host = "a";
    EXPECT_EQ(host_for(request), "a");
}

TEST_F(Placing, a_host_that_is_asked_for_and_not_there_is_said_to_be_so) {
    add(a_host("a", 8, 8192));
    auto cordoned = a_host("b", 8, 8192);
    cordoned.state = HostState::kCordoned;
    add(cordoned);
    auto request = a_vm("v", 2, 2);
    request.manual_host = "nope";
    const auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.refusals.at(0).detail, "the VM asks for host nope, which is not known here");
    EXPECT_EQ(summary(decision),
              "fits on none of 2 hosts: 2 x node; it asks for host nope, which is not known here; "
              "would fit if: without its node requirement it fits host a");
    // As many wait for the same, nobody looks for what would help them.
    EXPECT_EQ(summary(place(cluster, request, policy, Remedies::kLeftOut)),
              "fits on none of 2 hosts: 2 x node; it asks for host nope, which is not known here");
    // Where no other host would do either, the one that is missing has to come.
    request.need.cpu_milli = 9000;
    EXPECT_EQ(place(cluster, request, policy).would_fit_if.at(0).text,
              "a host named nope is added with 9 CPUs, 2 MiB of memory and 0 MiB of disk free, and "
              "what else the VM requires");
    // One that is there and full is not unknown.
    request.manual_host = "a";
    EXPECT_EQ(summary(place(cluster, request, policy)),
              "fits on none of 2 hosts: 1 x node, 1 x cpu; would fit if: 1 CPU less fits host a");
}

TEST_F(Placing, priority_chooses_between_head_room_and_packing) {
    add(a_host("a", 10, 10000));
    add(a_host("b", 20, 20000));
    auto request = a_vm("v", 2, 2000);
    request.strategy = Strategy::kPriority;
    request.priority = 1000;
    EXPECT_EQ(host_for(request), "b");
    request.priority = 0;
    EXPECT_EQ(host_for(request), "a");
}

TEST_F(Placing, locality_prefers_a_zone_or_insists_on_it) {
    auto a = a_host("a", 8, 8192);
    a.zone = "z1";
    auto b = a_host("b", 8, 8192);
    b.zone = "z2";
    add(a);
    add(b);
    auto request = a_vm("v", 1, 1);
    request.strategy = Strategy::kLocality;
    request.zones.preferred = {"z2"};
    EXPECT_EQ(host_for(request), "b");
    ASSERT_TRUE(cluster.set_host_state("b", HostState::kCordoned));
    EXPECT_EQ(host_for(request), "a");
    request.zones.strict = true;
    EXPECT_EQ(place(cluster, request, policy).outcome, Outcome::kPending);
    request.zones.preferred = {"z2", "z1"};
    EXPECT_EQ(host_for(request), "a") << "any of the preferred zones will do";
    ASSERT_TRUE(cluster.set_host_state("b", HostState::kReady));
    EXPECT_EQ(host_for(request), "b") << "the best comes first";
    const Decision decision = place(cluster, request, policy);
    EXPECT_DOUBLE_EQ(decision.runners_up.at(0).score - decision.score, 25.0 - 50.0);
}

TEST_F(Placing, spread_goes_to_the_emptiest_failure_domain) {
    for (auto [name, zone] : {std::pair("a", "z1"), std::pair("b", "z1"), std::pair("c", "z2")}) {
        auto host = a_host(name, 8, 8192);
        host.zone = zone;
        add(host);
    }
    std::string order;
    for (int i = 0; i < 4; ++i) {
        auto request = a_vm("v" + std::to_string(i), 1, 1);
        request.strategy = Strategy::kSpread;
        auto host = host_for(request);
        order += host;
        lies(request, host);
    }
    EXPECT_EQ(order, "acbc");
}

TEST_F(Placing, cost_takes_the_cheapest_share_and_keeps_the_cap) {
    auto a = a_host("a", 10, 10000);
    a.cost_per_hour = 1.0;
    auto b = a_host("b", 20, 20000);
    b.cost_per_hour = 1.5;
    add(a);
    add(b);
    auto request = a_vm("v", 2, 1000);
    request.strategy = Strategy::kCost;
    auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.host, "b");
    EXPECT_DOUBLE_EQ(decision.score, -0.15);                  // 1.5 * 2/20
    EXPECT_DOUBLE_EQ(decision.runners_up.at(0).score, -0.2);  // 1.0 * 2/10
    request.cost_max_per_hour = 0.1;
    EXPECT_EQ(place(cluster, request, policy).refusals.at(0).reason, Reason::kCost);
}

TEST_F(Placing, fragmentation_keeps_the_room_that_the_usual_vms_need) {
    add(a_host("a", 5, 5000));
    add(a_host("b", 8, 8000));
    for (int i = 0; i < 10; ++i) cluster.observe(a_vm("x", 4, 4000));
    // On a: 5 CPUs hold one of the usual VMs, 1 CPU is of no use; 1 CPU less loses nothing more: 1
    // -> 0. On b: 8 CPUs hold two, nothing lost; with 7 left only one fits and 3 are lost.
    auto decision = place(cluster, a_vm("v", 1, 1000), policy);
    EXPECT_EQ(decision.host, "a");
    EXPECT_DOUBLE_EQ(decision.score, 1.0);
    EXPECT_DOUBLE_EQ(decision.runners_up.at(0).score, -3.0);
}

TEST_F(Placing, fragmentation_keeps_a_whole_host_for_a_vm_that_is_split_over_its_nodes) {
    // Nodes of 4 CPUs. The mix: a VM of 8 CPUs, split 4 and 4, and as many CPUs in VMs of 2.
    for (auto name : {"a", "b"}) {
        auto host = a_host(name, 8, 8000);
        host.numa.assign(2, {4000, 4000});
        add(std::move(host));
    }
    ASSERT_TRUE(cluster.place(shared(a_vm("old", 1, 500)), "b", Assignment{{0}, {}}));
    cluster.observe(a_vm("large", 8, 4000));
    for (int i = 0; i < 4; ++i) cluster.observe(a_vm("small", 2, 500));
    // On a, the large can use 8, then none of 7; the small 8, then 2 + 4: 0 -> (7 + 1) / 2 lost.
    // On b, 3 and 4 free: none for the large, 2 + 4 for the small: 4 lost. With 2 and 4 free the
    // small can use the same 6: (6 + 0) / 2 = 3. With 3 and 3 only 4: (6 + 2) / 2 = 4.
    auto decision = place(cluster, a_vm("v", 1, 500), policy);
    EXPECT_EQ(decision.host, "b");
    EXPECT_EQ(decision.assignment.numa_nodes, std::vector<std::int32_t>{0});
    EXPECT_DOUBLE_EQ(decision.score, 1.0);
    EXPECT_DOUBLE_EQ(decision.runners_up.at(0).score, -4.0);
}

TEST_F(Placing, places_that_lose_equally_much_tie_whatever_the_last_bits_say) {
    add(a_host("a", 3, 3000));
    add(a_host("b", 9, 9000));
    for (auto cpus : {2, 3, 5}) cluster.observe(a_vm("x", cpus, 1));
    // Weights 0.2, 0.3, 0.5. On a, 3 free: 0.2 * 1 + 0.3 * 0 + 0.5 * 3 = 1.7 lost, 2 free: 0.2 * 0
    // + 0.3 * 2 + 0.5 * 2 = 1.6. On b, 9 free: 0.2 + 0.5 * 4 = 2.2, 8 free: 0.3 * 2 + 0.5 * 3
    // = 2.1. In doubles the second difference is larger by 2e-16.
    auto decision = place(cluster, a_vm("v", 1, 1), policy);
    EXPECT_EQ(decision.host, "a");
    EXPECT_NEAR(decision.score, 0.1, 1e-6);
    EXPECT_EQ(decision.runners_up.at(0).score, decision.score);
}

TEST_F(Placing, soft_rules_cost_points_that_are_shown) {
    add(a_host("a", 8, 8192));
    add(a_host("b", 8, 8192));
    auto request = a_vm("v", 1, 1);
    request.strategy = Strategy::kMostAvailable;
    request.affinities = {{{"w", {}}, true, false, "host", 1, 30.0}};
    lies(a_vm("w", 1, 1), "a");
    auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.host, "b");
    auto parts = decision.runners_up.at(0).parts;
    EXPECT_EQ(parts.at(1), (ScorePart{"soft anti-affinity w", -30.0}));
}

TEST_F(Placing, a_pending_vm_learns_the_smallest_changes_that_help) {
    add(a_host("a", 8, 8192));
    add(a_host("c", 16, 32768));
    ASSERT_TRUE(cluster.set_host_state("c", HostState::kCordoned));
    auto batch = a_vm("batch-7", 4, 4096);
    batch.priority = 100;
    batch.preemptible = true;
    lies(batch, "a");
    auto decision = place(cluster, a_vm("v", 4, 6144), policy);
    ASSERT_EQ(decision.outcome, Outcome::kPending);
    ASSERT_EQ(decision.would_fit_if.size(), 3U);
    EXPECT_EQ(decision.would_fit_if[0].text, "2 GiB less memory fits host a");
    EXPECT_EQ(decision.would_fit_if[1].text, "cordon lifted on host c");
    EXPECT_EQ(decision.would_fit_if[2].text, "evict batch-7 (priority 100)");
}

TEST_F(Placing, a_smaller_vm_is_one_that_people_would_ask_for) {
    auto odd = a_host("a", 7, 24100);
    odd.overcommit.cpu = 1.5;
    add(odd);
    auto decision = place(cluster, a_vm("v", 12, 90 * 1024), policy);
    ASSERT_EQ(decision.would_fit_if.size(), 1U);
    EXPECT_EQ(decision.would_fit_if[0].text, "2 CPUs less and 67 GiB less memory fits host a");
}

TEST_F(Placing, what_cannot_help_is_not_offered) {
    add(a_host("a", 8, 8192));
    add(a_host("b", 8, 8192));
    auto loner = a_vm("loner", 1, 512);
    loner.affinities = {{{"v", {}}, true}};
    lies(loner, "a");
    ASSERT_TRUE(cluster.set_host_state("b", HostState::kLost));
    auto decision = place(cluster, a_vm("v", 1, 512), policy);
    ASSERT_EQ(decision.would_fit_if.size(), 1U) << "the rule is another VM's: v cannot drop it";
    EXPECT_EQ(decision.would_fit_if[0].text, "host b is back");

    auto held = a_vm("held", 1, 512);
    held.volume_pins = {{"data", "b"}};
    decision = place(cluster, held, policy);
    ASSERT_EQ(decision.would_fit_if.size(), 1U) << "another host would not have its volume";
    EXPECT_EQ(decision.would_fit_if[0].text, "host b is back");

    ASSERT_TRUE(cluster.set_host_state("b", HostState::kDraining));
    EXPECT_EQ(place(cluster, held, policy).would_fit_if.at(0).text, "drain of host b ended");
}

TEST_F(Placing, preemption_evicts_the_fewest_then_the_lowest_then_the_youngest) {
    add(a_host("a", 8, 8192));
    auto victim = [&](std::string name, std::int64_t cpus, int priority, std::int64_t started) {
        auto request = a_vm(std::move(name), cpus, 1024);
        request.priority = priority;
        request.preemptible = true;
        request.started = {started};
        lies(request, "a");
    };
    victim("low-small", 1, 10, 0);
    victim("old", 3, 100, 1000);
    victim("young", 3, 100, 2000);
    victim("equal", 1, 500, 0);
    auto request = a_vm("v", 3, 1024);
    request.strategy = Strategy::kPriority;
    auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.outcome, Outcome::kPreempts);
    EXPECT_EQ(decision.evictions, std::vector<std::string>{"young"});
    request.need.cpu_milli = 8000;  // would need `equal` gone: never
    EXPECT_EQ(place(cluster, request, policy).outcome, Outcome::kPending);
}

TEST_F(Placing, preemption_for_a_vm_that_is_bound_to_a_host_happens_there) {
    for (auto host : {"a", "b"}) {
        add(a_host(host, 4, 4096));
        auto victim = a_vm(std::string("on-") + host, 4, 1024);
        victim.priority = host == std::string("a") ? 1 : 2;
        victim.preemptible = true;
        lies(victim, host);
    }
    auto request = a_vm("v", 4, 1024);
    request.strategy = Strategy::kPriority;
    request.manual_host = "b";
    auto decision = place(cluster, request, policy);
    EXPECT_EQ(decision.outcome, Outcome::kPreempts);
    EXPECT_EQ(decision.evictions, std::vector<std::string>{"on-b"});
}

TEST(PlaceBadInput, contradictions_and_nonsense_are_refused_by_name) {
    auto request = a_vm("v", 1, 1);
    Selector other{"w", {}};
    request.affinities = {{other, false}, {other, true}};
    EXPECT_EQ(validate(request).error().field, "affinity");
    request = a_vm("v", 0, 1);
    EXPECT_EQ(validate(request).error().field, "cpus");
    request = a_vm("v", 1, 1);
    request.need.memory_mib = INT64_MAX;
    EXPECT_EQ(validate(request).error().field, "memory");
    EXPECT_FALSE(parse_strategy("random-forest"));
    for (double ratio : {0.0, 1e9, -1.0}) {
        auto host = a_host("a", 1, 1);
        host.overcommit.cpu = ratio;
        EXPECT_EQ(validate(host).error().field, "overcommit.cpu");
    }
}

TEST(PlaceBadInput, a_host_of_nothing_and_a_label_nobody_has_leave_the_vm_pending) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("zero", 0, 0)));
    for (int strategy = 0; strategy < kStrategies; ++strategy) {
        auto request = a_vm("v", 1, 1);
        request.strategy = static_cast<Strategy>(strategy);
        request.manual_host = "zero";
        request.host_labels = {{"nobody", "has"}};
        EXPECT_EQ(place(cluster, request, {}).outcome, Outcome::kPending);
    }
}

TEST(PlaceBadInput, vms_that_wait_for_each_other_stay_pending_with_the_reason) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("a", 8, 8192)));
    auto one = a_vm("one", 1, 1);
    one.affinities = {{{"two", {}}, false}};
    auto two = a_vm("two", 1, 1);
    two.affinities = {{{"one", {}}, false}};
    for (const auto& request : {one, two}) {
        auto decision = place(cluster, request, {});
        EXPECT_EQ(decision.outcome, Outcome::kPending);
        EXPECT_EQ(decision.refusals.at(0).reason, Reason::kAffinity);
    }
}

}  // namespace
}  // namespace blixard::scheduler
