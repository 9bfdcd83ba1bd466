#include "cluster/etcd_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace blixard::cluster {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr MonoTime kNow{10'000'000};

EtcdConfig config() {
    return {.name = "host-1",
            .cluster_id = "c1",
            .data_directory = "/d/etcd",
            .listen_host = "10.0.0.1",
            .client_port = 7421,
            .peer_port = 7422,
            .authority_file = "/d/ca.pem",
            .certificate_file = "/d/host.pem",
            .key_file = "/d/host.key",
            .revocation_file = "/d/crl.pem",
            .initial_cluster = {{"host-1", "https://10.0.0.1:7422"},
                                {"host-2", "https://10.0.0.2:7422"}},
            .joins_existing = true};
}

TEST(EtcdArguments, ask_every_client_and_peer_for_a_certificate_of_the_cluster) {
    const auto arguments = etcd_arguments(config());
    EXPECT_EQ(arguments.front(), "/usr/bin/etcd");
    EXPECT_THAT(arguments, Contains("--client-cert-auth"));
    EXPECT_THAT(arguments, Contains("--peer-client-cert-auth"));
    EXPECT_THAT(arguments, Contains("--client-crl-file=/d/crl.pem"));
    EXPECT_THAT(arguments, Contains("--listen-client-urls=https://10.0.0.1:7421"));
    EXPECT_THAT(
        arguments,
        Contains("--initial-cluster=host-1=https://10.0.0.1:7422,host-2=https://10.0.0.2:7422"));
    EXPECT_THAT(arguments, Contains("--initial-cluster-state=existing"));
    EXPECT_THAT(arguments, Not(Contains(HasSubstr("2379"))));
}

TEST(EtcdArguments, listen_everywhere_where_the_address_is_a_name) {
    EtcdConfig named = config();
    named.listen_host = "host-1.example";
    EXPECT_THAT(etcd_arguments(named), Contains("--listen-peer-urls=https://0.0.0.0:7422"));
    EXPECT_EQ(etcd_client_url("fd00::1", 7421), "https://[fd00::1]:7421");
}

TEST(EtcdRestart, backs_off_to_ten_seconds) {
    EXPECT_EQ(restart_delay(1), Millis{200});
    EXPECT_EQ(restart_delay(2), Millis{400});
    EXPECT_EQ(restart_delay(6), Millis{6400});
    EXPECT_EQ(restart_delay(7), seconds(10));
    EXPECT_EQ(restart_delay(1000), seconds(10));
}

TEST(RevisionHistory, knows_what_was_newest_ten_minutes_ago) {
    RevisionHistory history;
    EXPECT_EQ(history.revision_before(kNow, kHistoryKept), 0);
    history.note(kNow, 5);
    history.note(kNow + seconds(60), 9);
    EXPECT_EQ(history.revision_before(kNow + seconds(599), kHistoryKept), 0);
    EXPECT_EQ(history.revision_before(kNow + seconds(600), kHistoryKept), 5);
    EXPECT_EQ(history.revision_before(kNow + seconds(3600), kHistoryKept), 9);
}

TEST(EtcdUpkeep, compacts_on_the_leader_alone_and_not_what_is_compacted) {
    EtcdFacts facts{.leader = true,
                    .quota_bytes = 2ull << 30,
                    .revision = 100,
                    .history_revision = 60,
                    .compacted = 50};
    EXPECT_EQ(plan_upkeep(facts, kNow).compact_to, 60);
    facts.compacted_at = kNow - seconds(59);
    EXPECT_EQ(plan_upkeep(facts, kNow), EtcdUpkeep{});
    facts.compacted_at = {};
    facts.leader = false;
    EXPECT_EQ(plan_upkeep(facts, kNow), EtcdUpkeep{});
    facts.leader = true;
    facts.compacted = 60;
    EXPECT_EQ(plan_upkeep(facts, kNow), EtcdUpkeep{});
}

EtcdMemberFacts hollow(std::string name) {
    return {
        .name = std::move(name), .database_bytes = 200u << 20, .database_bytes_in_use = 90u << 20};
}
EtcdFacts facts_of_a_leader(std::vector<EtcdMemberFacts> members) {
    const std::size_t in_all = members.size();
    return {.leader = true,
            .leading_for = seconds(60),
            .all_members_healthy = true,
            .members_in_all = in_all,
            .members = std::move(members),
            .quota_bytes = 2ull << 30};
}

TEST(EtcdUpkeep, defragments_hollow_members_one_after_the_other_the_leader_last) {
    EtcdFacts facts = facts_of_a_leader({hollow("a"), hollow("b"), hollow("c")});
    facts.members[0].leads = true;
    facts.members[2].database_bytes_in_use = 10u << 20;
    std::vector<std::string> order;
    for (int i = 0; i < 4; ++i) {
        order.push_back(plan_upkeep(facts, kNow).defragment);
        for (auto& member : facts.members)
            if (member.name == order.back()) member.defragmented_at = kNow;
    }
    EXPECT_THAT(order, testing::ElementsAre("c", "b", "a", ""));
    EXPECT_EQ(plan_upkeep(facts, kNow + seconds(3599)).defragment, "");
    EXPECT_NE(plan_upkeep(facts, kNow + seconds(3600)).defragment, "");
}

TEST(EtcdUpkeep, never_has_two_members_defragmented_at_once) {
    const EtcdFacts facts = facts_of_a_leader({hollow("a"), hollow("b")});
    EXPECT_NE(plan_upkeep(facts, kNow).defragment, "");
    EtcdFacts follower = facts;
    follower.leader = false;
    EXPECT_EQ(plan_upkeep(follower, kNow).defragment, "");
    EtcdFacts new_leader = facts;
    new_leader.leading_for = seconds(19);
    EXPECT_EQ(plan_upkeep(new_leader, kNow).defragment, "");
    EtcdFacts busy = facts;  // an order of an earlier leader is being carried out
    busy.members[1].reads = false;
    EXPECT_EQ(plan_upkeep(busy, kNow).defragment, "");
    busy.no_space_alarm = true;
    EXPECT_EQ(plan_upkeep(busy, kNow).defragment, "");
}

TEST(EtcdUpkeep, a_leader_whom_most_do_not_follow_any_more_gives_no_order) {
    EtcdFacts facts = facts_of_a_leader({hollow("a"), hollow("b"), hollow("c")});
    facts.members[0].leads = true;
    facts.members[1].follows = false;
    EXPECT_NE(plan_upkeep(facts, kNow).defragment, "");
    facts.members[2].follows = false;
    EXPECT_EQ(plan_upkeep(facts, kNow).defragment, "");
    // Where the quota is used up one may be away, and counts as one that does not follow.
    facts.no_space_alarm = true;
    facts.all_members_healthy = false;
    facts.quota_bytes = 100u << 20;
    facts.members.pop_back();
    EXPECT_EQ(plan_upkeep(facts, kNow).defragment, "");
    facts.members[1].follows = true;
    EXPECT_NE(plan_upkeep(facts, kNow).defragment, "");
}

// The one that slept between its question and its order has a successor whose first order comes
// kDefragmentAfter after its election.
TEST(EtcdUpkeep, an_order_comes_soon_after_the_question_or_not_at_all) {
    EXPECT_TRUE(may_order(kNow, kNow + seconds(5)));
    EXPECT_FALSE(may_order(kNow, kNow + seconds(5) + Millis{1}));
    EXPECT_LT(kDefragmentOrderMost * 2, kDefragmentAfter);
}

TEST(EtcdUpkeep, defragments_nothing_small_and_nobody_while_one_is_away) {
    EtcdFacts facts = facts_of_a_leader({hollow("a")});
    facts.all_members_healthy = false;
    EXPECT_EQ(plan_upkeep(facts, kNow).defragment, "");
    facts.all_members_healthy = true;
    facts.members[0].database_bytes = 40u << 20;
    facts.members[0].database_bytes_in_use = 1u << 20;
    EXPECT_EQ(plan_upkeep(facts, kNow).defragment, "");
}

TEST(EtcdUpkeep, frees_space_everywhere_before_it_disarms_the_quota_alarm_and_says_so) {
    const EtcdMemberFacts full{
        .name = "a", .database_bytes = 100u << 20, .database_bytes_in_use = 99u << 20};
    EtcdFacts facts = facts_of_a_leader({full, full});
    facts.members[1].name = "b";
    facts.database_bytes = facts.quota_bytes = 100u << 20;
    facts.no_space_alarm = true;
    facts.all_members_healthy = false;  // one is away; room is needed all the same
    facts.revision = 100;
    const EtcdUpkeep first = plan_upkeep(facts, kNow);
    EXPECT_EQ(first.compact_to, 100);
    EXPECT_EQ(first.defragment, "a");
    EXPECT_FALSE(first.disarm_no_space);
    EXPECT_THAT(first.warning, HasSubstr("100 MiB of 100 MiB"));
    facts.compacted = 100;
    facts.members[0].database_bytes = facts.members[0].database_bytes_in_use = 10u << 20;
    facts.members[0].defragmented_at = kNow;
    const EtcdUpkeep second = plan_upkeep(facts, kNow);
    EXPECT_EQ(second.compact_to, 0);
    EXPECT_EQ(second.defragment, "b");
    EXPECT_FALSE(second.disarm_no_space);
    facts.members[1] = facts.members[0];
    EXPECT_TRUE(plan_upkeep(facts, kNow).disarm_no_space);
}

TEST(EtcdUpkeep, warns_before_the_quota_is_used_up) {
    const EtcdFacts facts{
        .database_bytes = 90u << 20, .database_bytes_in_use = 85u << 20, .quota_bytes = 100u << 20};
    EXPECT_THAT(plan_upkeep(facts, kNow).warning, HasSubstr("85 MiB of its quota"));
}

}  // namespace
}  // namespace blixard::cluster
