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

TEST(EtcdUpkeep, defragments_a_hollow_file_once_an_hour_while_all_are_well) {
    EtcdFacts facts{.all_members_healthy = true,
                    .database_bytes = 200u << 20,
                    .database_bytes_in_use = 90u << 20,
                    .quota_bytes = 2ull << 30};
    EXPECT_TRUE(plan_upkeep(facts, kNow).defragment);
    facts.defragmented_at = kNow - seconds(3599);
    EXPECT_FALSE(plan_upkeep(facts, kNow).defragment);
    facts.defragmented_at = {};
    facts.all_members_healthy = false;
    EXPECT_FALSE(plan_upkeep(facts, kNow).defragment);
    facts.all_members_healthy = true;
    facts.database_bytes = 40u << 20;
    facts.database_bytes_in_use = 1u << 20;
    EXPECT_FALSE(plan_upkeep(facts, kNow).defragment);
}

TEST(EtcdUpkeep, frees_space_before_it_disarms_the_quota_alarm_and_says_so) {
    EtcdFacts facts{.leader = true,
                    .all_members_healthy = true,
                    .database_bytes = 100u << 20,
                    .database_bytes_in_use = 99u << 20,
                    .quota_bytes = 100u << 20,
                    .no_space_alarm = true,
                    .revision = 100};
    const EtcdUpkeep first = plan_upkeep(facts, kNow);
    EXPECT_EQ(first.compact_to, 100);
    EXPECT_TRUE(first.defragment);
    EXPECT_FALSE(first.disarm_no_space);
    EXPECT_THAT(first.warning, HasSubstr("100 MiB of 100 MiB"));
    facts.compacted = 100;
    facts.database_bytes = facts.database_bytes_in_use = 10u << 20;
    facts.defragmented_at = kNow;
    const EtcdUpkeep second = plan_upkeep(facts, kNow);
    EXPECT_EQ(second.compact_to, 0);
    EXPECT_TRUE(second.disarm_no_space);
}

TEST(EtcdUpkeep, warns_before_the_quota_is_used_up) {
    const EtcdFacts facts{
        .database_bytes = 90u << 20, .database_bytes_in_use = 85u << 20, .quota_bytes = 100u << 20};
    EXPECT_THAT(plan_upkeep(facts, kNow).warning, HasSubstr("85 MiB of its quota"));
}

}  // namespace
}  // namespace blixard::cluster
