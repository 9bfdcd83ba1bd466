#include "scheduler/batch.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "scheduler/plan.h"
#include "scheduler/rebalance.h"
#include "scheduler/testing.h"

namespace blixard::scheduler {
namespace {

using Pending = std::vector<std::shared_ptr<const Request>>;

struct Turns {
    Cluster cluster;
    Queue queue;
    Reservations reservations;
    Placer placer;
    Policy policy;

    void wait(Request request, MonoTime since = {}) {
        queue.put(shared(std::move(request)), since);
    }
    // "vm outcome" of every decision of this round, in order.
    std::vector<std::string> round(MonoTime now = {}) {
        std::vector<std::string> answers;
        Batch batch(cluster, queue, reservations, placer, policy, now);
        while (queue.next()) {
            auto decision = batch.decide();
            answers.push_back(decision.vm + (decision.outcome == Outcome::kPlaced
                                                 ? " on " + decision.host
                                             : decision.outcome == Outcome::kPreempts ? " preempts"
                                             : decision.outcome == Outcome::kPending  ? " waits"
                                                                                     : " refused"));
        }
        return answers;
    }
    std::vector<std::string> new_round(MonoTime now = {}) {
        reservations.refresh(cluster, queue, policy);
        queue.new_round();
        return round(now);
    }
};
using Answers = std::vector<std::string>;

Request aged(Request request, std::int64_t created) {
    request.created = {created};
    return request;
}

TEST(Batch, two_decisions_never_count_the_same_room_and_priority_goes_first) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    auto low = a_vm("low", 4, 1024);
    low.priority = 1;
    auto high = a_vm("high", 4, 1024);
    high.priority = 900;
    turns.wait(low);
    turns.wait(high);
    EXPECT_EQ(turns.round(), (Answers{"high on a", "low waits"}));
    EXPECT_FALSE(turns.queue.contains("high"));
    EXPECT_TRUE(turns.queue.contains("low"));
}

TEST(Batch, the_older_goes_first_among_equals) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    turns.wait(aged(a_vm("a-young", 4, 1024), 2));
    turns.wait(aged(a_vm("b-old", 4, 1024), 1));
    EXPECT_EQ(turns.round(), (Answers{"b-old on a", "a-young waits"}));
}

TEST(Batch, a_big_vm_that_waited_long_is_not_starved_by_small_ones) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 8, 8192)));
    ASSERT_TRUE(turns.cluster.place(shared(a_vm("running-1", 4, 1024)), "a", {}));
    ASSERT_TRUE(turns.cluster.place(shared(a_vm("running-2", 2, 1024)), "a", {}));
    const MonoTime late{turns.policy.reserve_after.count};
    turns.wait(aged(a_vm("big", 8, 1024), 0), MonoTime{0});
    turns.wait(aged(a_vm("small", 3, 1024), 1), late);
    EXPECT_EQ(turns.round(MonoTime{late.ms - 1}), (Answers{"big waits", "small waits"}));
    EXPECT_TRUE(turns.reservations.held().empty());
    EXPECT_EQ(turns.new_round(late), (Answers{"big waits", "small waits"}));
    EXPECT_EQ(turns.reservations.held(), (std::vector<Reservation>{{"big", "a"}}));
    ASSERT_TRUE(turns.cluster.release("running-1"));
    EXPECT_EQ(turns.new_round(late), (Answers{"big waits", "small waits"})) << "a is kept for big";
    ASSERT_TRUE(turns.cluster.release("running-2"));
    EXPECT_EQ(turns.new_round(late), (Answers{"big on a", "small waits"}));
    EXPECT_TRUE(turns.reservations.held().empty());
    EXPECT_EQ(turns.cluster.reserved_count(), 0U);
}

TEST(Batch, a_reservation_ends_with_its_vm_and_outlives_a_new_picture) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 8, 8192)));
    ASSERT_TRUE(turns.cluster.place(shared(a_vm("running", 4, 1024)), "a", {}));
    const MonoTime late{turns.policy.reserve_after.count};
    turns.wait(a_vm("big", 8, 1024), MonoTime{0});
    turns.round(late);
    ASSERT_EQ(turns.cluster.reserved_count(), 1U);
    Cluster anew;
    ASSERT_TRUE(anew.upsert_host(a_host("a", 8, 8192)));
    EXPECT_FALSE(turns.reservations.refresh(anew, turns.queue, turns.policy));
    EXPECT_EQ(anew.reserved_count(), 1U);
    turns.queue.remove("big");
    EXPECT_TRUE(turns.reservations.refresh(anew, turns.queue, turns.policy));
    EXPECT_EQ(anew.reserved_count(), 0U);
}

TEST(Batch, a_vm_that_evicts_holds_the_room_at_once) {
    Turns turns;
    turns.policy.preempt_always = true;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    auto batch = a_vm("batch", 4, 1024);
    batch.priority = 1;
    batch.preemptible = true;
    ASSERT_TRUE(turns.cluster.place(shared(batch), "a", {}));
    auto prod = a_vm("prod", 4, 1024);
    prod.priority = 900;
    auto next = a_vm("next", 4, 1024);
    next.priority = 800;
    turns.wait(prod);
    turns.wait(next);
    EXPECT_EQ(turns.round(), (Answers{"prod preempts", "next waits"}));
    ASSERT_TRUE(turns.cluster.release("batch"));
    EXPECT_EQ(turns.new_round(), (Answers{"prod on a", "next waits"}));
}

TEST(Queue, of_equal_vms_one_is_asked_and_each_is_told_once) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    for (const char* name : {"v1", "v2", "v3"}) turns.wait(a_vm(name, 8, 1024));
    EXPECT_EQ(turns.round(), (Answers{"v1 waits", "v2 waits", "v3 waits"}));
    EXPECT_EQ(turns.new_round(), (Answers{"v1 waits"}));
    turns.wait(a_vm("v4", 8, 1024));
    EXPECT_EQ(turns.round(), (Answers{"v4 waits"}));
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("b", 20, 20480)));
    EXPECT_EQ(turns.new_round(), (Answers{"v1 on b", "v2 on b", "v3 waits"}));
}

TEST(Queue, a_rule_against_some_of_the_equal_vms_does_not_hold_up_the_others) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    auto loner = a_vm("loner", 1, 512);
    loner.affinities.push_back({.target = {.vm = "v1"}, .anti = true});
    ASSERT_TRUE(turns.cluster.place(shared(loner), "a", {}));
    turns.wait(a_vm("v1", 1, 512));
    turns.wait(a_vm("v2", 1, 512));
    EXPECT_EQ(turns.round(), (Answers{"v1 waits", "v2 on a"}));
}

TEST(Queue, labels_tell_vms_apart) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    auto loner = a_vm("loner", 1, 512);
    loner.affinities.push_back({.target = {.labels = {{"app", "web"}}}, .anti = true});
    ASSERT_TRUE(turns.cluster.place(shared(loner), "a", {}));
    auto web = a_vm("v1", 1, 512);
    web.labels = {{"app", "web"}};
    turns.wait(web);
    turns.wait(a_vm("v2", 1, 512));
    EXPECT_EQ(turns.round(), (Answers{"v1 waits", "v2 on a"}));
}

TEST(Queue, what_comes_or_changes_while_a_round_goes_on_is_asked_in_its_turn) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    auto urgent = a_vm("urgent", 1, 512);
    urgent.priority = 900;
    turns.wait(a_vm("v1", 8, 512));
    turns.wait(a_vm("v2", 9, 512));
    Batch batch(turns.cluster, turns.queue, turns.reservations, turns.placer, turns.policy, {});
    EXPECT_EQ(batch.decide().vm, "v1");
    turns.wait(urgent);
    turns.wait(a_vm("v1", 4, 512));  // it wants less now
    EXPECT_EQ(turns.round(), (Answers{"urgent on a", "v1 waits", "v2 waits"}));
    turns.wait(a_vm("v1", 3, 512));
    EXPECT_EQ(turns.round(), (Answers{"v1 on a"}));
    turns.queue.remove("v2");
    EXPECT_EQ(turns.queue.size(), 0U);
    EXPECT_EQ(turns.new_round(), Answers{});
}

TEST(Queue, who_is_passed_over_is_asked_in_the_next_round) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    turns.wait(a_vm("v1", 1, 512));
    turns.wait(a_vm("v2", 1, 512));
    turns.queue.pass_over();
    EXPECT_EQ(turns.round(), (Answers{"v2 on a"}));
    EXPECT_EQ(turns.new_round(), (Answers{"v1 on a"}));
}

TEST(Queue, who_must_be_with_others_is_asked_again_when_one_of_them_has_come) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    auto leader = a_vm("leader", 1, 1024);
    leader.labels = {{"app", "db"}};
    auto follower = a_vm("follower", 1, 1024);
    follower.affinities = {{.target = {.labels = {{"app", "db"}}}}};
    turns.wait(follower);
    turns.wait(a_vm("too-big", 8, 1024));
    EXPECT_EQ(turns.round(), (Answers{"follower waits", "too-big waits"}));
    ASSERT_TRUE(turns.queue.followers_of(a_vm("another", 1, 1024)).empty());
    turns.wait(leader);
    EXPECT_EQ(turns.round(), (Answers{"leader on a"}));
    for (const auto& one : turns.queue.followers_of(leader)) turns.queue.ask_again(one->vm);
    EXPECT_EQ(turns.round(), (Answers{"follower on a"}));
}

TEST(Queue, what_would_help_is_looked_for_where_it_is_asked_for) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    turns.wait(a_vm("big-1", 8, 1024));
    turns.wait(a_vm("big-2", 8, 1024));
    turns.wait(a_vm("big-3", 8, 1024));
    Batch batch(turns.cluster, turns.queue, turns.reservations, turns.placer, turns.policy, {});
    EXPECT_TRUE(batch.decide(Remedies::kLeftOut).would_fit_if.empty());
    EXPECT_FALSE(batch.decide(Remedies::kFound).would_fit_if.empty());
    EXPECT_FALSE(batch.decide(Remedies::kLeftOut).would_fit_if.empty());  // it is known now
}

TEST(Queue, a_million_vms_that_fit_nowhere_are_one_question) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 4, 4096)));
    for (int i = 0; i < 1'000'000; ++i) turns.wait(a_vm("v" + std::to_string(i), 8, 1));
    Batch batch(turns.cluster, turns.queue, turns.reservations, turns.placer, turns.policy, {});
    std::size_t told = 0;
    for (; turns.queue.next(); ++told) ASSERT_EQ(batch.decide().outcome, Outcome::kPending);
    EXPECT_EQ(told, 1'000'000U);
    for (int round = 0; round < 1000; ++round) EXPECT_EQ(turns.new_round(), Answers{"v0 waits"});
}

// A round that is cut short is begun anew, and nobody is left out.
TEST(Queue, nobody_is_left_out_of_a_round) {
    Turns turns;
    ASSERT_TRUE(turns.cluster.upsert_host(a_host("a", 1, 1024)));
    for (int i = 0; i < 6; ++i) {
        auto vm = a_vm("v" + std::to_string(i), 8, 1);
        if (i % 2 == 0) vm.labels = {{"n", std::to_string(i)}};
        turns.wait(vm);
    }
    for (int cut = 0; cut < 6; ++cut) {
        Batch batch(turns.cluster, turns.queue, turns.reservations, turns.placer, turns.policy, {});
        for (int i = 0; i < cut && turns.queue.next(); ++i) batch.decide();
        turns.queue.new_round();
    }
    const Answers answers = turns.round();
    for (const char* vm : {"v0 waits", "v2 waits", "v4 waits", "v1 waits"})
        EXPECT_EQ(std::count(answers.begin(), answers.end(), vm), 1) << vm;
}

TEST(Plan, a_drain_says_what_moves_where_and_what_is_stuck) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("a", 8, 8192)));
    ASSERT_TRUE(cluster.upsert_host(a_host("b", 4, 8192)));
    ASSERT_TRUE(cluster.place(shared(a_vm("big", 6, 1024)), "a", {}));
    ASSERT_TRUE(cluster.place(shared(a_vm("small", 2, 1024)), "a", {}));
    std::vector<std::string> hosts{"a"};
    auto plan = plan_drain(cluster, hosts, {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->moves, (std::vector<Move>{{"small", "a", "b", {}}}));
    ASSERT_EQ(plan->stuck.size(), 1U);
    EXPECT_EQ(plan->stuck[0].vm, "big");
    EXPECT_EQ(
        plan->stuck[0].why,
        "fits on none of 2 hosts: 1 x draining, 1 x cpu; would fit if: 2 CPUs less fits host b");
    EXPECT_EQ(cluster.host_of("small"), "a") << "nothing is changed";
    EXPECT_FALSE(plan_drain(cluster, std::vector<std::string>{"nobody"}, {}));
}

TEST(Plan, survival_of_any_one_loss) {
    Cluster cluster;
    for (auto name : {"a", "b", "c"}) ASSERT_TRUE(cluster.upsert_host(a_host(name, 4, 4096)));
    ASSERT_TRUE(cluster.place(shared(a_vm("v1", 2, 1024)), "a", {}));
    ASSERT_TRUE(cluster.place(shared(a_vm("v2", 2, 1024)), "b", {}));
    EXPECT_TRUE(survives_losses(cluster, 1, {})->survives);
    EXPECT_TRUE(survives_losses(cluster, 2, {})->survives);
    ASSERT_TRUE(cluster.place(shared(a_vm("v3", 3, 1024)), "c", {}));
    auto two = survives_losses(cluster, 2, {});
    EXPECT_FALSE(two->survives);
    EXPECT_EQ(two->sets_tried, 3);
    EXPECT_FALSE(survives_losses(cluster, 4, {}));
}

TEST(Plan, launching_many_says_how_many_fit) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("a", 4, 4096)));
    auto plan = plan_launch(cluster, a_vm("w", 1, 1024), 6, {});
    EXPECT_EQ(plan->moves.size(), 4U);
    EXPECT_EQ(plan->stuck.size(), 2U);
    const Pending pending{shared(a_vm("x", 2, 1)), shared(a_vm("y", 2, 1))};
    ASSERT_TRUE(cluster.place(shared(a_vm("full", 4, 1024)), "a", {}));
    EXPECT_EQ(plan_add(cluster, a_host("b", 2, 2048), 1, pending, {})->moves.size(), 1U);
    auto two = plan_add(cluster, a_host("b", 2, 2048), 2, pending, {});
    ASSERT_EQ(two->moves.size(), 2U);
    EXPECT_EQ(two->moves[1].to, "b-2");
    EXPECT_FALSE(plan_add(cluster, a_host("a", 2, 2048), 1, pending, {}));
}

TEST(Plan, an_upgrade_goes_host_by_host) {
    Cluster cluster;
    for (auto name : {"a", "b"}) ASSERT_TRUE(cluster.upsert_host(a_host(name, 4, 4096)));
    ASSERT_TRUE(cluster.place(shared(a_vm("v1", 2, 1024)), "a", {}));
    auto steps = plan_upgrade(cluster, {});
    ASSERT_EQ(steps.size(), 2U);
    EXPECT_EQ(steps[0].plan.moves.at(0).to, "b");
    EXPECT_EQ(steps[1].plan.moves.at(0).to, "a");
}

TEST(Rebalance, scattered_room_is_joined_and_it_ends) {
    Cluster cluster;
    for (auto name : {"a", "b"}) ASSERT_TRUE(cluster.upsert_host(a_host(name, 8, 8192)));
    for (int i = 0; i < 10; ++i) cluster.observe(a_vm("x", 8, 8192));
    ASSERT_TRUE(cluster.place(shared(a_vm("v1", 2, 1024)), "a", {}));
    ASSERT_TRUE(cluster.place(shared(a_vm("v2", 2, 1024)), "b", {}));
    auto rebalance = plan_rebalance(cluster, {}, 100);
    ASSERT_EQ(rebalance.moves.size(), 1U);
    EXPECT_TRUE(rebalance.finished);
    EXPECT_DOUBLE_EQ(rebalance.lost_before, 12.0);  // 6 + 6 CPUs that hold no VM of 8
    EXPECT_DOUBLE_EQ(rebalance.lost_after, 4.0);    // one host is whole again, the other has 4 left
    EXPECT_FALSE(plan_rebalance(cluster, {}, 0).finished);
}

}  // namespace
}  // namespace blixard::scheduler
