#include "sim/timeline.h"

#include <gtest/gtest.h>

#include <string>

namespace blixard::sim {
namespace {

// One host with a clock, one process on it, and what that process did: "<true ms since the start>
// <what>".
struct Story {
    explicit Story(std::int64_t ppm) : clock(timeline, ppm, Millis{5000}) {}
    std::function<void()> note(std::string what) {
        return [this, what] {
            said +=
                (said.empty() ? "" : ", ") + std::to_string(timeline.mono().ms - 1000) + " " + what;
        };
    }
    void run_until(std::int64_t ms) {
        timeline.after(Millis{ms - (timeline.mono().ms - 1000)}, [] {});
        while (timeline.mono().ms - 1000 < ms && timeline.step()) {
        }
    }

    Timeline timeline{1};
    HostClock clock;
    Lane lane{timeline, clock};
    std::string said;
};

TEST(Timeline, a_timer_runs_by_the_clock_of_its_host) {
    Story slow(-500'000);
    slow.lane.after(Millis{100}, slow.note("slow"));
    slow.run_until(1000);
    EXPECT_EQ(slow.said, "200 slow");
    Story fast(1'000'000);
    fast.lane.after(Millis{100}, fast.note("fast"));
    fast.run_until(1000);
    EXPECT_EQ(fast.said, "50 fast");
}

TEST(Timeline, a_clock_that_becomes_slower_keeps_its_timers_waiting) {
    Story story(0);
    story.lane.after(Millis{100}, story.note("done"));
    story.run_until(50);
    story.clock.set_ppm(-500'000);
    story.run_until(1000);
    EXPECT_EQ(story.said, "150 done");
    EXPECT_EQ(story.clock.at({1000 + 150}), MonoTime{5000 + 1000 + 100});
}

TEST(Timeline, what_was_cancelled_never_runs) {
    Story story(0);
    const TimerId timer = story.lane.after(Millis{10}, story.note("no"));
    story.lane.after(Millis{20}, story.note("yes"));
    story.lane.cancel(timer);
    story.run_until(100);
    EXPECT_EQ(story.said, "20 yes");
}

TEST(Timeline, a_paused_process_does_all_that_waited_when_it_goes_on) {
    Story story(0);
    story.lane.after(Millis{10}, story.note("a"));
    story.lane.after(Millis{20}, story.note("b"));
    story.lane.pause();
    story.run_until(50);
    EXPECT_EQ(story.said, "");
    story.lane.resume();
    story.run_until(60);
    EXPECT_EQ(story.said, "50 a, 50 b");
}

TEST(Timeline, a_process_that_ended_does_nothing_any_more) {
    Story story(0);
    story.lane.after(Millis{10}, story.note("timer"));
    story.lane.post(story.note("task"));
    story.lane.end();
    EXPECT_EQ(story.lane.after(Millis{10}, story.note("later")), 0u);
    story.run_until(100);
    EXPECT_EQ(story.said, "");
}

}  // namespace
}  // namespace blixard::sim
