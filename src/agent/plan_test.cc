#include "agent/plan.h"

#include <gtest/gtest.h>

namespace blixard::agent {
namespace {

using hypervisor::Exit;
using hypervisor::Instance;
using hypervisor::InstanceState;
using model::Phase;

// A VM that is placed here with epoch 3 and shall run; tests change what matters to them.
struct Story {
    Story() {
        record.uid = placement.uid = status.uid = "u";
        placement.node = "h1";
        placement.epoch = status.epoch = 3;
        status.phase = Phase::kRunning;
    }
    Decision plan_with(const Instance* instance) {
        Wanted wanted{.record = &record,
                      .placement = &placement,
                      .status = &status,
                      .mine = mine,
                      .leftover = leftover};
        return plan(wanted, instance, memory, lease, MonoTime{100'000});
    }
    Instance instance(InstanceState state) {
        Instance one;
        one.id = {"default/web", "u", 3};
        one.state = state;
        return one;
    }
    Decision plan_exited(Exit exit) {
        Instance one = instance(InstanceState::kExited);
        one.exit = std::move(exit);
        return plan_with(&one);
    }

    model::VmRecord record;
    model::Placement placement;
    model::VmStatus status;
    Memory memory;
    bool mine = true, leftover = false, lease = true;
};

TEST(Plan, a_fenced_vm_waits_for_the_lease_and_others_do_not) {
    Story story;
    story.lease = false;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kStart);
    story.record.spec.ha = model::Ha::kRestart;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kNone);
    story.lease = true;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kStart);
}

// The story of an end that was written, though the store did not say so, and of people who then
// asked for a restart: nothing goes from "failed" to "stopping".
TEST(Plan, a_restart_asked_for_after_the_end_was_said_starts_from_nothing) {
    Story story;
    story.record.spec.restart = model::Restart::kNever;
    story.record.restart_generation = 1;
    story.status.phase = Phase::kFailed;
    const Decision asked = story.plan_exited(Exit{.signal = 9});
    EXPECT_EQ(asked.step, Step::kForget);
    EXPECT_EQ(asked.phase, std::nullopt);
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kStart);
    story.status.phase = Phase::kRunning;  // not said yet: it is being restarted
    EXPECT_EQ(story.plan_exited(Exit{.signal = 9}).phase, Phase::kStopping);
}

TEST(Plan, an_older_epoch_is_killed_and_forgotten) {
    Story story;
    Instance old = story.instance(InstanceState::kRunning);
    old.id.epoch = 2;
    EXPECT_EQ(story.plan_with(&old).step, Step::kKill);
    old.state = InstanceState::kExited;
    EXPECT_EQ(story.plan_with(&old).step, Step::kForget);
}

TEST(Plan, a_vm_that_is_placed_elsewhere_is_killed_then_purged) {
    Story story;
    story.mine = false;
    story.placement.node = "h2";
    Instance running = story.instance(InstanceState::kRunning);
    EXPECT_EQ(story.plan_with(&running).step, Step::kKill);
    story.leftover = true;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kPurge);
}

TEST(Plan, what_a_stopped_vm_has_here_is_kept) {
    Story story;
    story.mine = false;
    story.leftover = true;
    story.placement.node.clear();
    story.record.spec.run = model::Run::kStopped;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kNone);
}

TEST(Plan, restart_policies) {
    const Exit clean{.guest_shutdown = true};
    const Exit failed{.signal = 9};
    Story story;
    story.record.spec.restart = model::Restart::kOnFailure;
    EXPECT_TRUE(story.plan_exited(failed).count_restart);
    EXPECT_FALSE(story.plan_exited(clean).count_restart);
    EXPECT_EQ(story.plan_exited(clean).phase, Phase::kStopped);
    story.record.spec.restart = model::Restart::kAlways;
    EXPECT_TRUE(story.plan_exited(clean).count_restart);
    story.record.spec.restart = model::Restart::kNever;
    EXPECT_FALSE(story.plan_exited(failed).count_restart);
    EXPECT_EQ(story.plan_exited(failed).phase, Phase::kFailed);
}

TEST(Plan, an_end_for_good_is_written_before_the_instance_is_dropped) {
    Story story;
    EXPECT_EQ(story.plan_exited({.guest_shutdown = true}).step, Step::kNone);
    story.status.phase = Phase::kStopped;
    EXPECT_EQ(story.plan_exited({.guest_shutdown = true}).step, Step::kForget);
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kNone);  // and it stays stopped
    ++story.record.restart_generation;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kStart);  // until people ask again
}

TEST(Plan, backoff_is_waited_and_told) {
    Story story;
    story.memory.start_not_before = MonoTime{104'500};
    story.memory.failure = "qemu was ended by signal 9";
    story.memory.restarts = 1;
    const Decision waiting = story.plan_with(nullptr);
    EXPECT_EQ(waiting.step, Step::kNone);
    EXPECT_EQ(waiting.phase, Phase::kFailed);
    EXPECT_EQ(waiting.message, "qemu was ended by signal 9; restart 1 in 5 s");
    EXPECT_EQ(waiting.look_again, MonoTime{104'500});
    story.memory.start_not_before = MonoTime{100'000};
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kStart);
}

// The story of a start that people cut short by force: it counted as failed, and the start that
// they asked for next went from "stopped" to "failed", and waited.
TEST(Plan, a_start_that_people_ask_for_after_the_end_does_not_wait_for_the_backoff) {
    Story story;
    story.memory.start_not_before = MonoTime{104'500};
    story.status.phase = Phase::kStopped;
    story.record.restart_generation = 1;
    const Decision asked = story.plan_with(nullptr);
    EXPECT_EQ(asked.step, Step::kStart);
    EXPECT_EQ(asked.phase, Phase::kStarting);
    story.status.restart_generation = 1;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kNone) << "nobody asks";
}

TEST(Plan, backoff_doubles_from_5_to_300_seconds) {
    EXPECT_EQ(restart_backoff(0), seconds(5));
    EXPECT_EQ(restart_backoff(1), seconds(10));
    EXPECT_EQ(restart_backoff(5), seconds(160));
    EXPECT_EQ(restart_backoff(6), seconds(300));
    EXPECT_EQ(restart_backoff(1'000'000), seconds(300));
}

TEST(Plan, a_deleted_vm_is_stopped_purged_and_finished) {
    Story story;
    story.record.deleted_at = "now";
    Instance running = story.instance(InstanceState::kRunning);
    EXPECT_EQ(story.plan_with(&running).step, Step::kStop);
    story.record.force = true;
    EXPECT_EQ(story.plan_with(&running).step, Step::kKill);
    story.leftover = true;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kPurge);
    story.leftover = false;
    EXPECT_EQ(story.plan_with(nullptr).step, Step::kFinish);
}

TEST(Plan, a_silent_monitor_is_waited_for_then_the_process_is_killed) {
    Story story;
    Instance silent = story.instance(InstanceState::kUnknown);
    story.memory.silent_since = MonoTime{50'000};
    EXPECT_EQ(story.plan_with(&silent).step, Step::kNone);
    story.memory.silent_since = MonoTime{40'000};
    EXPECT_EQ(story.plan_with(&silent).step, Step::kKill);
}

TEST(Plan, behind_a_silent_monitor_a_vm_that_is_never_restarted_ends_only_if_people_ask_for_it) {
    Story story;
    story.record.spec.restart = model::Restart::kNever;
    Instance silent = story.instance(InstanceState::kUnknown);
    story.memory.silent_since = MonoTime{40'000};
    EXPECT_EQ(story.plan_with(&silent).step, Step::kNone);
    ++story.record.restart_generation;
    EXPECT_EQ(story.plan_with(&silent).step, Step::kKill);
}

TEST(Plan, a_released_vm_is_stopped_and_said_to_be_stopped) {
    Story story;
    story.placement.release = true;
    Instance running = story.instance(InstanceState::kRunning);
    EXPECT_EQ(story.plan_with(&running).step, Step::kStop);
    EXPECT_EQ(story.plan_with(nullptr).phase, Phase::kStopped);
}

TEST(Plan, pause_and_resume_follow_what_is_wanted) {
    Story story;
    story.record.spec.run = model::Run::kPaused;
    Instance running = story.instance(InstanceState::kRunning);
    EXPECT_EQ(story.plan_with(&running).step, Step::kPause);
    Instance paused = story.instance(InstanceState::kPaused);
    EXPECT_EQ(story.plan_with(&paused).step, Step::kNone);
    story.record.spec.run = model::Run::kRunning;
    EXPECT_EQ(story.plan_with(&paused).step, Step::kResume);
}

}  // namespace
}  // namespace blixard::agent
