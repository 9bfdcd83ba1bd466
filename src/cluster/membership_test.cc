#include "cluster/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace blixard::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Millis kLostAfter = seconds(300);

Membership two_hosts() {
    Membership membership;
    membership.meta = ClusterMeta{.cluster_id = "c1", .authority_pem = "pem"};
    membership.members["a"] = Member{.name = "a",
                                     .uid = "u-a",
                                     .advertise = "10.0.0.1:7420",
                                     .etcd_client_url = "https://10.0.0.1:7421",
                                     .role = MemberRole::kVoter,
                                     .state = MemberState::kReady,
                                     .certificate_serial = "1",
                                     .joined_at = "2026"};
    membership.members["b"] = Member{.name = "b",
                                     .uid = "u-b",
                                     .advertise = "10.0.0.2:7420",
                                     .state = MemberState::kReady,
                                     .certificate_serial = "2",
                                     .joined_at = "2026"};
    return membership;
}

AdmissionRequest newcomer() { return {"c1", "c", "u-c", "10.0.0.3:7420", {}, {}}; }

VoterFact voter(std::string name, Millis lost_for = {}) {
    return {name, "1" + name, MemberRole::kVoter, MemberState::kReady, true, lost_for};
}
VoterFact worker(std::string name, Millis lost_for = {}) {
    return {name, "2" + name, MemberRole::kWorker, MemberState::kReady, false, lost_for};
}

TEST(Records, keep_members_that_a_newer_version_wrote) {
    const auto member = parse_member(
        R"({"schema":2,"name":"a","uid":"u","role":"voter","state":"ready","color":{"r":[1,2]},"certificate_until_ms":5})");
    ASSERT_TRUE(member);
    EXPECT_EQ(member->role, MemberRole::kVoter);
    EXPECT_EQ(member->certificate_until, WallTime{5});
    const std::string again = write_record(*member);
    EXPECT_THAT(again, HasSubstr(R"("color":{"r":[1,2]})"));
    EXPECT_EQ(*parse_member(again), *member);
}

TEST(Records, say_the_same_after_a_trip_through_the_store) {
    const ClusterMeta meta{.cluster_id = "c1",
                           .created_at = "2026",
                           .authority_pem = "-----\n\"pem\"\n",
                           .sealed_authority_key = "v1.x",
                           .voters_wanted = 5,
                           .lease_ttl = seconds(8)};
    EXPECT_EQ(*parse_meta(write_record(meta)), meta);
    const Revoked revoked{.serial = "1f",
                          .name = "a",
                          .revoked_at = "2026",
                          .reason = "removed",
                          .certificate_until = {9}};
    EXPECT_EQ(*parse_revoked(write_record(revoked)), revoked);
    const TokenRecord token{"id", "hash", "2026", {7}, "b", "2027"};
    EXPECT_EQ(*parse_token_record(write_record(token)), token);
    EXPECT_EQ(parse_member("[]").error().code, ErrorCode::kInvalid);
    EXPECT_EQ(parse_meta("{}").error().code, ErrorCode::kInvalid);
}

TEST(Certificate, counts_only_of_a_member_of_this_cluster_that_was_not_revoked) {
    Membership membership = two_hosts();
    const CertificateInfo known{.name = "b", .cluster_id = "c1", .serial = "2"};
    EXPECT_TRUE(judge_certificate(known, membership));
    EXPECT_EQ(judge_certificate({.name = "b", .cluster_id = "c2", .serial = "2"}, membership)
                  .error()
                  .code,
              ErrorCode::kUnauthenticated);
    EXPECT_EQ(judge_certificate({.name = "z", .cluster_id = "c1", .serial = "9"}, membership)
                  .error()
                  .code,
              ErrorCode::kDenied);
    membership.revoked["2"] =
        Revoked{.serial = "2", .name = "b", .revoked_at = "2026", .reason = "removed"};
    EXPECT_THAT(judge_certificate(known, membership).error().message,
                HasSubstr("revoked at 2026: removed"));
}

TEST(Admission, takes_a_newcomer_and_refuses_what_would_collide) {
    const Membership membership = two_hosts();
    EXPECT_TRUE(check_admission(newcomer(), membership));

    AdmissionRequest request = newcomer();
    request.name = "b";
    EXPECT_EQ(check_admission(request, membership).error().code, ErrorCode::kExists);
    EXPECT_THAT(check_admission(request, membership).error().message, HasSubstr("\"b\" is taken"));
    request.uid = "u-b";  // the same host asks again
    request.advertise = "10.0.0.2:7420";
    EXPECT_TRUE(check_admission(request, membership));

    request = newcomer();
    request.advertise = "10.0.0.1:7420";
    EXPECT_THAT(check_admission(request, membership).error().message,
                HasSubstr("taken by member \"a\""));

    request = newcomer();
    request.cluster_id = "c2";
    EXPECT_EQ(check_admission(request, membership).error().code, ErrorCode::kUnauthenticated);

    request = newcomer();
    request.name = "Bad_Name";
    EXPECT_EQ(check_admission(request, membership).error().code, ErrorCode::kInvalid);
}

TEST(Admission, refuses_a_clock_that_is_off_for_certain) {
    EXPECT_TRUE(check_clock(seconds(2), {}, seconds(2)));
    EXPECT_TRUE(check_clock({2100}, {100}, seconds(2)));
    EXPECT_EQ(check_clock({2101}, {}, seconds(2)).error().code, ErrorCode::kConflict);
    EXPECT_THAT(check_clock({-61300}, {}, seconds(2)).error().message, HasSubstr("61.3 s behind"));
    AdmissionRequest request = newcomer();
    request.clock_ahead = seconds(60);
    EXPECT_THAT(check_admission(request, two_hosts()).error().message, HasSubstr("60.0 s ahead"));
}

TEST(HostPort, is_an_address_and_a_port) {
    EXPECT_EQ(parse_host_port("10.0.0.1:7420")->port, 7420);
    EXPECT_EQ(parse_host_port("[fd00::1]:7420")->host, "fd00::1");
    EXPECT_EQ(write_host_port(*parse_host_port("[fd00::1]:7420")), "[fd00::1]:7420");
    for (const char* bad :
         {"", ":1", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:70000", "fd00::1:7420", "a:1x"})
        EXPECT_FALSE(parse_host_port(bad)) << bad;
}

TEST(Voters, grow_from_one_to_three_at_once_because_two_survive_no_loss) {
    EXPECT_THAT(plan_voters({voter("a"), worker("b")}, 3, kLostAfter).promote, IsEmpty());
    EXPECT_THAT(
        plan_voters({voter("a"), worker("b"), worker("c"), worker("d")}, 3, kLostAfter).promote,
        ElementsAre("b", "c"));
    EXPECT_THAT(
        plan_voters({voter("a"), voter("b"), voter("c"), worker("d"), worker("e")}, 5, kLostAfter)
            .promote,
        ElementsAre("d", "e"));
}

TEST(Voters, that_were_removed_are_replaced_by_the_longest_member) {
    EXPECT_THAT(
        plan_voters({voter("a"), voter("b"), worker("d"), worker("c")}, 3, kLostAfter).promote,
        ElementsAre("c"));
    EXPECT_THAT(plan_voters({voter("a"), voter("b")}, 3, kLostAfter), VoterPlan{});
}

TEST(Voters, that_are_lost_for_long_go_only_after_their_replacement_votes) {
    const VoterFact lost = voter("c", seconds(301));
    EXPECT_THAT(
        plan_voters({voter("a"), voter("b"), voter("c", seconds(20)), worker("d")}, 3, kLostAfter)
            .promote,
        IsEmpty());
    const auto first = plan_voters({voter("a"), voter("b"), lost, worker("d")}, 3, kLostAfter);
    EXPECT_THAT(first.promote, ElementsAre("d"));
    EXPECT_THAT(first.demote, IsEmpty());
    const auto second = plan_voters({voter("a"), voter("b"), lost, voter("d")}, 3, kLostAfter);
    EXPECT_THAT(second.promote, IsEmpty());
    EXPECT_THAT(second.demote, ElementsAre("c"));
    EXPECT_THAT(plan_voters({voter("a"), voter("b"), lost}, 3, kLostAfter).promote, IsEmpty());
}

TEST(Voters, may_go_while_a_majority_of_the_others_is_alive) {
    EXPECT_TRUE(check_voter_may_go("a", {voter("a"), voter("b"), voter("c")}));
    EXPECT_TRUE(check_voter_may_go("w", {voter("a"), worker("w")}));
    EXPECT_EQ(check_voter_may_go("a", {voter("a"), worker("w")}).error().code,
              ErrorCode::kConflict);
    EXPECT_EQ(
        check_voter_may_go("a", {voter("a"), voter("b"), voter("c", seconds(1))}).error().code,
        ErrorCode::kConflict);
    EXPECT_TRUE(check_voter_may_go("c", {voter("a"), voter("b"), voter("c", seconds(1))}));
}

TEST(Endpoints, are_those_of_the_voters) {
    EXPECT_THAT(etcd_endpoints(two_hosts()), ElementsAre("10.0.0.1:7421"));
    EXPECT_THAT(voter_addresses(two_hosts()), ElementsAre("10.0.0.1:7420"));
}

TEST(Standing, a_host_without_a_record_or_with_anothers_was_removed) {
    const Membership members = two_hosts();
    EXPECT_TRUE(check_still_member("b", "u-b", members));
    EXPECT_EQ(check_still_member("c", "u-c", members).error().code, ErrorCode::kDenied);
    const Status replaced = check_still_member("b", "u-other", members);
    ASSERT_FALSE(replaced);
    EXPECT_THAT(replaced.error().message, HasSubstr("another host has its name now"));
    EXPECT_THAT(replaced.error().help, HasSubstr("blixard cluster leave"));
}

TEST(Standing, nothing_is_known_before_the_records_are) {
    EXPECT_TRUE(check_still_member("b", "u-b", Membership{}));
}

TEST(Standing, a_refusal_counts_where_no_voter_takes_it_for_a_member) {
    const Status refusal = fail(ErrorCode::kDenied, "the certificate of \"b\" was revoked");
    const Status silence = fail(ErrorCode::kUnavailable, "does not answer");
    EXPECT_TRUE(check_still_accepted("b", {}));
    EXPECT_TRUE(check_still_accepted("b", {silence, silence}));
    const Status refused = check_still_accepted("b", {silence, refusal});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
    EXPECT_THAT(refused.error().message, HasSubstr("was revoked"));
    // A newcomer of whom one voter has not heard yet.
    EXPECT_TRUE(check_still_accepted("b", {refusal, Status{}, silence}));
}

}  // namespace
}  // namespace blixard::cluster
