#include "scheduler/batch.h"

#include <gtest/gtest.h>

#include "scheduler/plan.h"
#include "scheduler/rebalance.h"
#include "scheduler/testing.h"

namespace blixard::scheduler {
namespace {

using Pending = std::vector<std::shared_ptr<const Request>>;

TEST(Batch, two_decisions_never_count_the_same_room_and_priority_goes_first) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("a", 4, 4096)));
    auto low = a_vm("low", 4, 1024);
    low.priority = 1;
    auto high = a_vm("high", 4, 1024);
    high.priority = 900;
    auto batch = decide_batch(cluster, Pending{shared(low), shared(high)}, {}, WallTime{0});
    ASSERT_EQ(batch.decisions.size(), 2U);
    EXPECT_EQ(batch.decisions[0].vm, "high");
    EXPECT_EQ(batch.decisions[0].outcome, Outcome::kPlaced);
    EXPECT_EQ(batch.decisions[1].outcome, Outcome::kPending);
}

TEST(Batch, a_big_vm_that_waited_long_is_not_starved_by_small_ones) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("a", 8, 8192)));
    ASSERT_TRUE(cluster.place(shared(a_vm("running-1", 4, 1024)), "a", {}));
    ASSERT_TRUE(cluster.place(shared(a_vm("running-2", 2, 1024)), "a", {}));
    Policy policy;
    auto big = a_vm("big", 8, 1024);
    big.created = {0};
    auto small = a_vm("small", 1, 1024);
    small.created = {1000};
    WallTime late{policy.reserve_after.count + 1};
    auto batch = decide_batch(cluster, Pending{shared(small), shared(big)}, policy, late);
    EXPECT_EQ(batch.reservations, (std::vector<Reservation>{{"big", "a"}}));
    EXPECT_EQ(batch.decisions[1].vm, "small");
    EXPECT_EQ(batch.decisions[1].refusals.at(0).reason, Reason::kReserved);
    ASSERT_TRUE(cluster.release("running-1"));
    ASSERT_TRUE(cluster.release("running-2"));
    batch = decide_batch(cluster, Pending{shared(small), shared(big)}, policy, late,
                         batch.reservations);
    EXPECT_EQ(batch.decisions[0].vm, "big");
    EXPECT_EQ(batch.decisions[0].outcome, Outcome::kPlaced);
    EXPECT_TRUE(batch.reservations.empty());
}

TEST(Batch, what_is_beyond_the_bound_waits_for_the_next_batch) {
    Cluster cluster;
    ASSERT_TRUE(cluster.upsert_host(a_host("a", 4, 4096)));
    Policy policy;
    policy.batch_max = 10;
    Pending pending;
    for (int i = 0; i < 100000; ++i) pending.push_back(shared(a_vm("v" + std::to_string(i), 8, 1)));
    auto batch = decide_batch(cluster, pending, policy, WallTime{0});
    EXPECT_EQ(batch.decisions.size(), 10U);
    EXPECT_EQ(batch.left_over, 99990);
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
    auto added = plan_add(cluster, a_host("b", 2, 2048), Pending{shared(a_vm("x", 1, 1))}, {});
    EXPECT_EQ(added->moves.size(), 1U);
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
