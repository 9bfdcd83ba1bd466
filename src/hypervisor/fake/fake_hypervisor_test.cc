#include "hypervisor/fake/fake_hypervisor.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "hypervisor/conformance.h"

namespace blixard::hypervisor {
namespace {

// Virtual time: it moves to the next timer when nothing else is to do.
class VirtualExecutor final : public Executor, public Clock {
 public:
    MonoTime mono() const override { return {now_}; }
    WallTime wall() const override { return {now_}; }
    void post(std::function<void()> task) override { after(Millis{0}, std::move(task)); }
    TimerId after(Millis delay, std::function<void()> task) override {
        tasks_[{now_ + std::max<std::int64_t>(delay.count, 0), ++last_}] = std::move(task);
        return last_;
    }
    void cancel(TimerId timer) override {
        std::erase_if(tasks_, [timer](const auto& task) { return task.first.second == timer; });
    }
    bool run_until(const std::function<bool()>& done, std::int64_t limit_ms) {
        while (!done()) {
            if (tasks_.empty() || tasks_.begin()->first.first > limit_ms) return false;
            auto next = tasks_.extract(tasks_.begin());
            now_ = next.key().first;
            next.mapped()();
        }
        return true;
    }

 private:
    std::int64_t now_ = 1000;
    TimerId last_ = 0;
    std::map<std::pair<std::int64_t, TimerId>, std::function<void()>> tasks_;
};

Launch launch_of(const std::string& vm) {
    Launch launch;
    launch.id = {vm, "uid-of-" + vm.substr(vm.find('/') + 1), 1};
    return launch;
}

class FakeWorld final : public ConformanceWorld {
 public:
    Hypervisor& driver() override { return *driver_; }
    void restart_driver() override {
        driver_.reset();
        driver_ = std::make_unique<FakeHypervisor>(host_);
    }
    Launch launch(const std::string& vm) override { return launch_of(vm); }
    Launch deaf_launch(const std::string& vm) override {
        host_.set_script(vm, {.ignores_stop = true});
        return launch_of(vm);
    }
    bool wait(const std::function<bool()>& done) override {
        return executor_.run_until(done, executor_.mono().ms + 100'000);
    }
    MonoTime now() const override { return executor_.mono(); }
    void crash(const Instance& instance) override {
        host_.crash(instance.id.vm, Exit{.signal = SIGKILL});
    }

    VirtualExecutor executor_;
    FakeHost host_{executor_, executor_};
    std::unique_ptr<FakeHypervisor> driver_ = std::make_unique<FakeHypervisor>(host_);
};

INSTANTIATE_TEST_SUITE_P(Fake, HypervisorConformance,
                         testing::Values(ConformanceCase{
                             "fake", [] { return std::make_unique<FakeWorld>(); }}),
                         [](const auto& info) { return info.param.name; });

TEST(FakeHypervisor, a_start_cut_short_by_the_daemons_death_never_happened) {
    FakeWorld world;
    world.driver().start(launch_of("default/a"),
                         [](auto) { FAIL() << "nobody is left to be told"; });
    world.restart_driver();
    world.wait([] { return false; });
    EXPECT_TRUE(world.host_.starts().empty());
}

TEST(FakeHypervisor, a_scripted_crash_comes_in_its_time) {
    FakeWorld world;
    world.host_.set_script({.exits_after = Millis{100}, .exit = Exit{.status = 3}});
    world.driver().recover([](auto) {});
    world.driver().start(launch_of("default/a"), [](auto) {});
    ASSERT_TRUE(world.wait(
        [&] { return !world.host_.starts().empty() && !world.host_.runs("default/a"); }));
    EXPECT_EQ(world.driver().instances()[0].exit->status, 3);
}

TEST(FakeHypervisor, a_scripted_failure_leaves_nothing) {
    FakeWorld world;
    world.host_.set_script({.start_fails = Error{ErrorCode::kExhausted, "no room", "", ""}});
    std::optional<Error> error;
    world.driver().start(launch_of("default/a"), [&](auto result) { error = result.error(); });
    ASSERT_TRUE(world.wait([&] { return error.has_value(); }));
    EXPECT_EQ(error->message, "no room");
    EXPECT_TRUE(world.driver().leftovers().empty());
}

TEST(FakeHypervisor, a_lower_epoch_may_not_open_a_shared_disk) {
    FakeWorld world;
    Launch launch = launch_of("default/a");
    launch.fenced = false;
    launch.disks.push_back({.name = "root", .path = "/shared/a.qcow2", .shared = true});
    launch.id.epoch = 5;
    world.driver().recover([](auto) {});
    bool up = false;
    world.driver().start(launch, [&](auto result) { up = result.has_value(); });
    ASSERT_TRUE(world.wait([&] { return up; }));
    world.host_.crash("default/a", Exit{.signal = 9});
    world.driver().forget(launch.id);
    launch.id.epoch = 4;
    std::optional<ErrorCode> code;
    world.driver().start(launch, [&](auto result) { code = result.error().code; });
    ASSERT_TRUE(world.wait([&] { return code.has_value(); }));
    EXPECT_EQ(*code, ErrorCode::kConflict);
}

}  // namespace
}  // namespace blixard::hypervisor
