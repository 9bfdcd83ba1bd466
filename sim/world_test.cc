#include "sim/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "sim/story.h"

namespace blixard::sim {
namespace {

Plan small(std::uint64_t seed) { return make_plan(seed, 3, 8, 0.1, FaultSet{}); }

TEST(World, the_same_seed_gives_the_same_run_and_another_does_not) {
    const Outcome one = run_plan(small(1), false), again = run_plan(small(1), true),
                  other = run_plan(small(2), false);
    EXPECT_EQ(one.failure, std::nullopt);
    EXPECT_EQ(one.hash, again.hash);
    EXPECT_NE(one.hash, other.hash);
    EXPECT_GT(one.checks, 1000u);
}

TEST(World, a_plan_is_the_same_after_it_was_written_down) {
    const Plan plan = small(3);
    const Result<Plan> read = parse_plan(to_text(plan));
    ASSERT_TRUE(read);
    EXPECT_EQ(to_text(*read), to_text(plan));
}

TEST(World, switching_one_group_off_leaves_the_acts_of_the_others_as_they_are) {
    FaultSet fewer;
    fewer.network = false;
    std::set<std::string> all;
    for (const Act& act : make_plan(4, 5, 50, 1, FaultSet{}).acts) all.insert(to_text(act));
    const Plan without = make_plan(4, 5, 50, 1, fewer);
    EXPECT_LT(without.acts.size(), all.size());
    for (const Act& act : without.acts) EXPECT_TRUE(all.contains(to_text(act))) << to_text(act);
}

TEST(World, words_for_faults_are_understood_or_refused) {
    EXPECT_EQ(to_text(*parse_faults("host,clock")), "host,clock");
    EXPECT_EQ(to_text(*parse_faults("none")), "none");
    EXPECT_EQ(to_text(*parse_faults("all")), to_text(FaultSet{}));
    EXPECT_FALSE(parse_faults("hosts"));
}

TEST(World, without_faults_nothing_fails_over) {
    const Outcome calm = run_plan(make_plan(5, 3, 8, 0.1, *parse_faults("none")), false);
    EXPECT_EQ(calm.failure, std::nullopt);
    EXPECT_EQ(calm.failovers, 0u);
    EXPECT_EQ(calm.faults, 0u);
}

TEST(Story, it_shows_what_was_done_in_words_and_escapes_what_it_shows) {
    Plan plan{.seed = 7, .hosts = 2, .vms = 3, .hours = 0.5};
    plan.acts = {{.at_ms = 12'345, .kind = ActKind::kHostCrash, .host = 1, .span_ms = 3'200}};
    Outcome outcome;
    outcome.failure = "vm <a> runs twice";
    outcome.lines = {{13'000, "h2", "process ends vm=default/a"}};
    const std::string text = story_text(plan, outcome, "abc");
    EXPECT_NE(text.find("12345 host-crash 1 0 3200 0   # 12.3 s: host-crash on h2 for 3.2 s\n"),
              std::string::npos)
        << text;
    EXPECT_TRUE(parse_plan(text.substr(text.find("blixard-sim"))));
    const std::string page = story_html(plan, outcome, "abc");
    EXPECT_NE(page.find("vm &lt;a&gt; runs twice"), std::string::npos);
    EXPECT_EQ(page.find("http"), std::string::npos);  // it needs nothing from elsewhere
}

}  // namespace
}  // namespace blixard::sim
