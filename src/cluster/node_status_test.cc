// What an operator is told to do something about.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cluster/node_impl.h"

namespace blixard::cluster {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr WallTime kNow{1'795'000'000'000};

struct Situation {
    Membership members;
    EtcdReport report;
    std::map<std::string, ClockReading> clocks;
    std::set<std::string> alive;

    Situation() {
        members.meta = ClusterMeta{.cluster_id = "c1"};
        std::uint64_t id = 0;
        for (const char* name : {"a", "b", "c"}) {
            members.members[name] = Member{.name = name,
                                           .role = MemberRole::kVoter,
                                           .state = MemberState::kReady,
                                           .certificate_until = kNow + seconds(60 * 24 * 3600)};
            report.members.push_back({.id = ++id, .name = name});
            report.statuses[name] = {.id = id, .leader = 1};
            alive.insert(name);
        }
    }
    std::vector<std::string> warnings() const {
        return status_warnings(members, report, clocks, alive, kNow);
    }
};

TEST(ClusterStatus, nothing_is_said_where_all_is_well) {
    EXPECT_THAT(Situation().warnings(), IsEmpty());
}

TEST(ClusterStatus, a_silent_voter_and_then_the_lost_majority_are_said) {
    Situation s;
    s.report.statuses.erase("c");
    EXPECT_THAT(s.warnings(),
                ElementsAre("2 of 3 voters answer: losing one more stops all writes"));
    s.report.statuses["b"].leader = 0;
    EXPECT_THAT(s.warnings(),
                ElementsAre(HasSubstr("only 1 of 3 voters answer: there is no majority")));
}

TEST(ClusterStatus, a_lost_host_is_named) {
    Situation s;
    s.alive.erase("b");
    EXPECT_THAT(s.warnings(), ElementsAre("\"b\" is lost: it holds no lease"));
}

TEST(ClusterStatus, an_alarm_names_its_host_and_what_it_means) {
    Situation s;
    s.report.alarms = {{.member = 2, .kind = store::EtcdAlarmKind::kNoSpace}};
    EXPECT_THAT(
        s.warnings(),
        ElementsAre(HasSubstr("etcd on \"b\" has raised the alarm no-space: writes are refused")));
}

TEST(ClusterStatus, a_clock_beyond_the_margin_is_said_and_one_within_it_or_unsure_is_not) {
    Situation s;
    s.clocks["b"] = {.ahead = Millis{1900}, .uncertainty = Millis{1}};
    s.clocks["c"] = {.ahead = Millis{-2500}, .uncertainty = Millis{900}};
    EXPECT_THAT(s.warnings(), IsEmpty());
    s.clocks["b"].ahead = Millis{-2500};
    EXPECT_THAT(s.warnings(), ElementsAre(HasSubstr("the clock of \"b\" is -2500 ms ahead")));
}

TEST(ClusterStatus, a_certificate_that_ends_soon_is_said) {
    Situation s;
    s.members.members["c"].certificate_until = kNow + seconds(3600);
    EXPECT_THAT(s.warnings(), ElementsAre(HasSubstr("the certificate of \"c\" ends at")));
}

TEST(LeaseConsequence, says_the_spans_of_the_fencing_page) {
    EXPECT_THAT(lease_consequence(seconds(4)),
                HasSubstr("kills its HA VMs 3.5 s after its last renewal"));
    EXPECT_THAT(lease_consequence(seconds(4)), HasSubstr("start them again 4.25 s after"));
    EXPECT_THAT(lease_consequence(seconds(60)), HasSubstr("52.5 s"));
}

}  // namespace
}  // namespace blixard::cluster
