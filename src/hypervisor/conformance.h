// What every hypervisor must do, told once and run against each of them. Included by the test
// program of an adapter, which makes a World and instantiates the suite with it.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "hypervisor/hypervisor.h"

namespace blixard::hypervisor {

// One host with a driver on it.
class ConformanceWorld {
 public:
    virtual ~ConformanceWorld() = default;
    virtual Hypervisor& driver() = 0;
    virtual void
    restart_driver() = 0;  // as kill -9 of the daemon and a new one; recover() is the caller's
    virtual Launch launch(
        const std::string& vm) = 0;  // a guest that prints "ready" and answers a stop
    virtual Launch deaf_launch(const std::string& vm) = 0;  // one that ignores its power button
    virtual bool wait(
        const std::function<bool()>& done) = 0;  // runs the executor until then; false: too long
    virtual MonoTime now() const = 0;
    virtual void crash(const Instance& instance) = 0;  // kill -9 of its process
};
using ConformanceWorldFactory = std::function<std::unique_ptr<ConformanceWorld>()>;

struct ConformanceCase {
    std::string name;
    ConformanceWorldFactory make;
};

class HypervisorConformance : public testing::TestWithParam<ConformanceCase> {
 protected:
    void SetUp() override {
        world_ = GetParam().make();
        if (!world_) GTEST_SKIP() << "this hypervisor cannot run here";
        ASSERT_TRUE(ask<std::vector<Instance>>([&](auto done) { driver().recover(done); }));
        driver().feed(world_->now() + seconds(600));
    }
    void TearDown() override {
        if (!world_) return;
        for (const Instance& instance : driver().instances()) (void)kill(instance.id);
    }

    Hypervisor& driver() { return world_->driver(); }

    template <class T>
    Result<T> ask(const std::function<void(Callback<T>)>& question) {
        auto answer = std::make_shared<std::optional<Result<T>>>();
        question([answer](Result<T> result) { *answer = std::move(result); });
        if (!world_->wait([&] { return answer->has_value(); })) {
            return fail(ErrorCode::kTimeout, "no answer");
        }
        return **answer;
    }
    Result<Instance> start(const Launch& launch) {
        return ask<Instance>([&](auto done) { driver().start(launch, done); });
    }
    Result<StopHow> stop(const InstanceId& id, Millis grace) {
        return ask<StopHow>([&](auto done) { driver().stop(id, grace, done); });
    }
    Result<StopHow> kill(const InstanceId& id) {
        return ask<StopHow>([&](auto done) { driver().kill(id, done); });
    }
    std::optional<Instance> find(const std::string& vm) {
        for (const Instance& instance : driver().instances()) {
            if (instance.id.vm == vm) return instance;
        }
        return std::nullopt;
    }
    bool becomes(const std::string& vm, InstanceState state) {
        return world_->wait([&] {
            const auto instance = find(vm);
            return instance && instance->state == state;
        });
    }
    bool says(const std::string& vm, const std::string& text) {
        return world_->wait([&] { return driver().console_has(vm, text); });
    }

    std::unique_ptr<ConformanceWorld> world_;
};

struct RecordingReader final : ConsoleReader {
    std::string seen;
    bool ended = false;
    void on_output(std::string_view bytes) override { seen.append(bytes); }
    void on_end(std::string_view) override { ended = true; }
};

TEST_P(HypervisorConformance, a_guest_starts_speaks_and_answers_a_stop) {
    const Launch launch = world_->launch("default/web-1");
    const auto started = start(launch);
    ASSERT_TRUE(started) << describe(started.error());
    EXPECT_EQ(started->state, InstanceState::kRunning);
    EXPECT_EQ(started->id, launch.id);
    EXPECT_GT(started->pid, 0);
    EXPECT_TRUE(says("default/web-1", "ready"));
    EXPECT_NE(driver().console_log("default/web-1", 65536)->find("ready"), std::string::npos);

    EXPECT_EQ(start(launch).error().code, ErrorCode::kExists);
    EXPECT_EQ(stop(launch.id, seconds(60)), StopHow::kGuest);
    const auto gone = find("default/web-1");
    ASSERT_TRUE(gone && gone->exit);
    EXPECT_EQ(gone->state, InstanceState::kExited);
    EXPECT_TRUE(gone->exit->guest_shutdown);
    EXPECT_EQ(stop(launch.id, seconds(1)), StopHow::kAlreadyGone);
    driver().forget(launch.id);
    EXPECT_FALSE(find("default/web-1"));
}

TEST_P(HypervisorConformance, a_guest_that_ignores_its_power_button_is_quit_and_a_kill_kills) {
    const Launch deaf = world_->deaf_launch("default/deaf");
    ASSERT_TRUE(start(deaf));
    EXPECT_EQ(stop(deaf.id, Millis{200}), StopHow::kQuit);
    driver().forget(deaf.id);
    ASSERT_TRUE(start(deaf)) << "after forget() it may start again";
    EXPECT_EQ(kill(deaf.id), StopHow::kKilled);
    EXPECT_EQ(find("default/deaf")->exit->signal, 9);
    EXPECT_EQ(kill(deaf.id), StopHow::kAlreadyGone);
}

TEST_P(HypervisorConformance, pause_and_resume) {
    const Launch launch = world_->launch("default/web-1");
    ASSERT_TRUE(start(launch));
    ASSERT_TRUE(ask<bool>([&](auto done) { driver().pause(launch.id, done); }));
    EXPECT_TRUE(becomes("default/web-1", InstanceState::kPaused));
    ASSERT_TRUE(ask<bool>([&](auto done) { driver().resume(launch.id, done); }));
    EXPECT_TRUE(becomes("default/web-1", InstanceState::kRunning));
    InstanceId other = launch.id;
    ++other.epoch;
    EXPECT_EQ(ask<bool>([&](auto done) { driver().pause(other, done); }).error().code,
              ErrorCode::kNotFound);
}

TEST_P(HypervisorConformance, a_death_is_noticed_and_its_reason_kept) {
    const Launch launch = world_->launch("default/web-1");
    int exits = 0;
    driver().set_listener([&](const Event& event) { exits += event.kind == Event::Kind::kExited; });
    const auto started = start(launch);
    ASSERT_TRUE(started);
    world_->crash(*started);
    ASSERT_TRUE(becomes("default/web-1", InstanceState::kExited));
    EXPECT_EQ(find("default/web-1")->exit->signal, 9);
    EXPECT_FALSE(find("default/web-1")->exit->guest_shutdown);
    EXPECT_TRUE(world_->wait([&] { return exits == 1; }));
    driver().set_listener(nullptr);
}

TEST_P(HypervisorConformance, the_daemon_dies_and_the_vm_does_not) {
    Launch fenced = world_->launch("default/ha");
    fenced.fenced = true;
    const Launch plain = world_->launch("default/plain"), doomed = world_->launch("default/doomed");
    const auto before = start(fenced);
    ASSERT_TRUE(before) << describe(before.error());
    ASSERT_TRUE(start(plain));
    const auto victim = start(doomed);
    ASSERT_TRUE(victim);

    world_->restart_driver();
    EXPECT_TRUE(driver().instances().empty()) << "nothing is known before recover()";
    world_->crash(*victim);
    ASSERT_TRUE(ask<std::vector<Instance>>([&](auto done) { driver().recover(done); }));
    EXPECT_TRUE(becomes("default/ha", InstanceState::kRunning));
    EXPECT_TRUE(becomes("default/plain", InstanceState::kRunning));
    EXPECT_TRUE(becomes("default/doomed", InstanceState::kExited));
    EXPECT_EQ(find("default/ha")->pid, before->pid);
    EXPECT_EQ(find("default/ha")->pid_start, before->pid_start);
    EXPECT_EQ(find("default/ha")->id, before->id);
    EXPECT_TRUE(find("default/ha")->fenced);
    EXPECT_EQ(start(fenced).error().code, ErrorCode::kExists) << "never twice";
    EXPECT_EQ(kill(fenced.id), StopHow::kKilled);
}

TEST_P(HypervisorConformance, only_fenced_vms_die_when_the_lease_is_not_renewed) {
    Launch fenced = world_->launch("default/ha");
    fenced.fenced = true;
    const Launch plain = world_->launch("default/plain");
    ASSERT_TRUE(start(fenced));
    ASSERT_TRUE(start(plain));
    driver().feed(world_->now() + Millis{50});
    ASSERT_TRUE(becomes("default/ha", InstanceState::kExited));
    EXPECT_NE(find("default/ha")->message.find("lease"), std::string::npos);
    EXPECT_EQ(find("default/plain")->state, InstanceState::kRunning);
    driver().forget(fenced.id);
    EXPECT_EQ(start(fenced).error().code, ErrorCode::kUnavailable);
    driver().feed(world_->now() + seconds(60));
    EXPECT_TRUE(start(fenced));
}

TEST_P(HypervisorConformance, several_readers_share_a_console) {
    const Launch launch = world_->launch("default/web-1");
    RecordingReader one, two;
    EXPECT_FALSE(driver().console_open("default/web-1", one));
    ASSERT_TRUE(start(launch));
    ASSERT_TRUE(says("default/web-1", "ready"));
    const auto first = driver().console_open("default/web-1", one);
    ASSERT_TRUE(first && driver().console_open("default/web-1", two));
    ASSERT_TRUE(driver().console_write("default/web-1", "echo hel''lo\n"));
    EXPECT_TRUE(world_->wait([&] { return one.seen.find("hel") != std::string::npos; }));
    EXPECT_TRUE(world_->wait([&] { return two.seen.find("hel") != std::string::npos; }));
    driver().console_close(*first);
    ASSERT_TRUE(kill(launch.id));
    EXPECT_TRUE(world_->wait([&] { return two.ended; }));
    EXPECT_FALSE(one.ended);
}

TEST_P(HypervisorConformance, what_a_vm_leaves_is_listed_and_purged) {
    const Launch launch = world_->launch("default/web-1");
    ASSERT_TRUE(start(launch));
    const auto purge = [&] {
        return ask<bool>([&](auto done) { driver().purge(launch.id.vm, launch.id.uid, done); });
    };
    EXPECT_EQ(purge().error().code, ErrorCode::kConflict);
    ASSERT_TRUE(kill(launch.id));
    ASSERT_EQ(driver().leftovers().size(), 1u);
    EXPECT_EQ(driver().leftovers()[0].uid, launch.id.uid);
    ASSERT_TRUE(purge());
    EXPECT_TRUE(driver().leftovers().empty());
    EXPECT_TRUE(purge()) << "purging what is not there succeeds";
    EXPECT_FALSE(find("default/web-1"));
}

TEST_P(HypervisorConformance, usage_is_measured) {
    const Launch launch = world_->launch("default/web-1");
    ASSERT_TRUE(start(launch));
    const auto usage = ask<Usage>([&](auto done) { driver().usage(launch.id, done); });
    ASSERT_TRUE(usage) << describe(usage.error());
    EXPECT_TRUE(usage->cpu_seconds && usage->memory_bytes);
    EXPECT_GT(*usage->memory_bytes, 0u);
}

}  // namespace blixard::hypervisor
