#include "hypervisor/qemu/qemu_hypervisor.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdio>
#include <random>

#include "hypervisor/conformance.h"
#include "hypervisor/qemu/qemu_world.h"

namespace blixard::hypervisor {
namespace {

std::unique_ptr<QemuWorld> make_world() {
    const auto guest = test_guest();
    if (guest) return std::make_unique<QemuWorld>(*guest);
    std::fprintf(stderr, "\n*** SKIPPED: no demo guest for real QEMU: %s\n\n",
                 describe(guest.error()).c_str());
    return nullptr;
}

INSTANTIATE_TEST_SUITE_P(Qemu, HypervisorConformance,
                         testing::Values(ConformanceCase{"qemu", make_world}),
                         [](const auto& info) { return info.param.name; });

class QemuHypervisorTest : public testing::Test {
 protected:
    void SetUp() override {
        world_ = make_world();
        if (!world_) GTEST_SKIP() << "no demo guest";
        recover();
        driver().feed(world_->now() + seconds(600));
    }
    QemuHypervisor& driver() { return world_->qemu(); }

    template <class T>
    Result<T> ask(const std::function<void(Callback<T>)>& question) {
        auto answer = std::make_shared<std::optional<Result<T>>>();
        question([answer](Result<T> result) { *answer = std::move(result); });
        if (!world_->wait([&] { return answer->has_value(); }))
            return fail(ErrorCode::kTimeout, "no answer");
        return **answer;
    }
    void recover() {
        ASSERT_TRUE(ask<std::vector<Instance>>([&](auto done) { driver().recover(done); }));
    }
    Result<Instance> start(const Launch& launch) {
        return ask<Instance>([&](auto done) { driver().start(launch, done); });
    }
    std::optional<Instance> find(const std::string& vm) {
        for (const Instance& instance : driver().instances()) {
            if (instance.id.vm == vm) return instance;
        }
        return std::nullopt;
    }
    bool exits(const std::string& vm) {
        return world_->wait([&] { return find(vm) && find(vm)->state == InstanceState::kExited; });
    }
    pid_t watchdog_pid(const Instance& child) { return os::process_stat(child.pid)->parent; }

    std::unique_ptr<QemuWorld> world_;
};

TEST_F(QemuHypervisorTest, the_watchdog_fences_while_the_daemon_hangs) {
    Launch launch = world_->launch("default/ha");
    launch.fenced = true;
    const auto instance = start(launch);
    ASSERT_TRUE(instance) << describe(instance.error());
    const auto process = os::open_process({instance->pid, instance->pid_start});
    ASSERT_TRUE(process);
    driver().feed(world_->now() + Millis{300});
    // The loop does not run here: the daemon hangs. The kernel says when the VM has ended.
    pollfd ended{process->get(), POLLIN, 0};
    ASSERT_EQ(::poll(&ended, 1, 20'000), 1);
    EXPECT_GE((world_->now() - MonoTime{}).count, 0);
    ASSERT_TRUE(exits("default/ha"));
    EXPECT_EQ(find("default/ha")->exit->signal, SIGKILL);
}

TEST_F(QemuHypervisorTest, a_fenced_vm_cannot_outlive_the_watchdog_and_others_are_adopted) {
    Launch fenced = world_->launch("default/ha");
    fenced.fenced = true;
    const Launch plain = world_->launch("default/plain");
    const auto ha = start(fenced);
    ASSERT_TRUE(ha);
    const auto other = start(plain);
    ASSERT_TRUE(other);
    const pid_t watchdog = watchdog_pid(*ha);
    ASSERT_EQ(::kill(watchdog, SIGKILL), 0);
    ASSERT_TRUE(exits("default/ha"));
    EXPECT_EQ(find("default/plain")->state, InstanceState::kRunning);
    // A new watchdog is there and guards what is started from now on.
    driver().forget(fenced.id);
    const auto again = ask<Instance>([&](auto done) {
        world_->wait([&] { return watchdog_pid(*other) != watchdog; });
        driver().start(fenced, done);
    });
    ASSERT_TRUE(again) << describe(again.error());
    EXPECT_NE(watchdog_pid(*again), watchdog);
    // The adopted one is stopped and its end is noticed, though nobody can reap it.
    EXPECT_EQ(ask<StopHow>([&](auto done) { driver().kill(plain.id, done); }), StopHow::kKilled);
}

TEST_F(QemuHypervisorTest, a_qemu_that_does_not_start_says_why_and_leaves_nothing) {
    Launch launch = world_->launch("default/bad");
    launch.disks.push_back(
        {.name = "root", .path = world_->directory() + "/uid-of-bad/root.qcow2", .size_mib = 16});
    launch.spec.nics.push_back({.name = "net0", .mac = "no-mac"});
    const auto refused = start(launch);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("no-mac"), std::string::npos) << refused.error().message;
    EXPECT_TRUE(driver().leftovers().empty());
    EXPECT_TRUE(driver().instances().empty());
    EXPECT_FALSE(os::path_exists(world_->directory() + "/uid-of-bad"));
}

TEST_F(QemuHypervisorTest, a_missing_image_is_named_and_nothing_is_left) {
    Launch launch = world_->launch("default/bad");
    launch.disks.push_back({.name = "root",
                            .path = world_->directory() + "/uid-of-bad/root.qcow2",
                            .backing_path = "/none/image.raw"});
    const auto refused = start(launch);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("disk \"root\""), std::string::npos)
        << refused.error().message;
    EXPECT_FALSE(os::path_exists(world_->directory() + "/uid-of-bad"));
}

TEST_F(QemuHypervisorTest, disks_seed_and_forwards_reach_the_guest) {
    Launch launch = world_->launch("default/full");
    const std::string base = world_->directory() + "/base.raw",
                      disk = world_->directory() + "/uid-of-full/root.qcow2";
    ASSERT_TRUE(os::replace_file(base, std::string(1 << 20, 'x')));
    launch.disks.push_back({.name = "root", .path = disk, .size_mib = 8, .backing_path = base});
    launch.spec.cloud_init.user_data = "#cloud-config\n{}\n";
    launch.command_line += " blixard.beat=epoch-1";
    launch.spec.nics.push_back({.name = "net0"});
    launch.spec.nics[0].forwards.push_back({.guest_port = 80});
    const auto instance = start(launch);
    ASSERT_TRUE(instance) << describe(instance.error());
    ASSERT_EQ(instance->addresses.size(), 1u);
    EXPECT_TRUE(instance->addresses[0].address.starts_with("127.0.0.1:"));
    EXPECT_TRUE(world_->wait(
        [&] { return driver().console_has("default/full", "instance-id: uid-of-full"); }));
    EXPECT_TRUE(world_->wait([&] { return driver().console_has("default/full", "full ready"); }));
    EXPECT_TRUE(world_->wait([&] {
        const auto usage = ask<Usage>([&](auto done) { driver().usage(launch.id, done); });
        return usage && usage->disk_written_bytes.value_or(0) > 0;
    }));
    EXPECT_EQ(ask<bool>([&](auto done) { driver().delete_disk(disk, done); }).error().code,
              ErrorCode::kConflict);
    EXPECT_TRUE(ask<StopHow>([&](auto done) { driver().kill(launch.id, done); }));
    EXPECT_TRUE(ask<bool>([&](auto done) { driver().delete_disk(disk, done); }));
    EXPECT_FALSE(os::path_exists(disk));
}

TEST_F(QemuHypervisorTest, microvm_under_tcg_where_it_is_asked_for) {
    Launch launch = world_->launch("default/micro");
    launch.spec.machine = model::Machine::kMicrovm;
    const auto instance = start(launch);
    ASSERT_TRUE(instance) << describe(instance.error());
    EXPECT_EQ(instance->machine, "microvm");
    ASSERT_TRUE(world_->wait([&] { return driver().console_has("default/micro", "micro ready"); }));
    EXPECT_EQ(ask<StopHow>([&](auto done) { driver().stop(launch.id, seconds(60), done); }),
              StopHow::kGuest);
}

TEST_F(QemuHypervisorTest, a_stop_of_a_guest_that_still_boots_is_answered_when_it_can) {
    const Launch launch = world_->launch("default/early");
    ASSERT_TRUE(start(launch));
    EXPECT_EQ(ask<StopHow>([&](auto done) { driver().stop(launch.id, seconds(100), done); }),
              StopHow::kGuest);
}

TEST_F(QemuHypervisorTest, a_start_is_cancelled_by_a_stop) {
    const Launch launch = world_->launch("default/never-mind");
    std::optional<Error> refused;
    driver().start(launch,
                   [&](Result<Instance> result) { refused = result ? Error{} : result.error(); });
    ASSERT_TRUE(ask<StopHow>([&](auto done) { driver().stop(launch.id, seconds(1), done); }));
    ASSERT_TRUE(world_->wait([&] { return refused.has_value(); }));
    EXPECT_TRUE(driver().instances().empty());
    EXPECT_TRUE(driver().leftovers().empty());
}

// The daemon is this program in another process: it starts one VM and then does nothing.
TEST_F(QemuHypervisorTest, a_daemon_killed_at_any_moment_of_a_start_leaves_one_vm_or_none) {
    constexpr int kRounds = 12;
    std::mt19937 random(20261121);
    int lived = 0;
    for (int round = 0; round < kRounds; ++round) {
        const std::string vm = "default/vm-" + std::to_string(round);
        auto daemon =
            os::spawn({.arguments = {"/proc/self/exe", "start-one", world_->directory(), vm}});
        ASSERT_TRUE(daemon) << describe(daemon.error());
        pollfd wait{daemon->pidfd.get(), POLLIN, 0};
        ::poll(&wait, 1, static_cast<int>(random() % 400));  // any moment: nothing is waited for
        ASSERT_TRUE(os::send_signal(daemon->pidfd.get(), SIGKILL));
        os::wait_for(daemon->pidfd.get());

        world_->restart_driver();
        recover();
        driver().feed(world_->now() + seconds(600));
        const Launch launch = world_->launch(vm);
        if (find(vm)) {
            ++lived;
            EXPECT_TRUE(world_->wait([&] { return find(vm)->state != InstanceState::kUnknown; }));
        }
        if (!find(vm) || find(vm)->state == InstanceState::kExited) {
            const auto again = start(launch);
            ASSERT_TRUE(again) << describe(again.error());
        }
        ASSERT_EQ(find(vm)->state, InstanceState::kRunning);
        EXPECT_EQ(start(launch).error().code, ErrorCode::kExists);
        EXPECT_EQ(ask<StopHow>([&](auto done) { driver().kill(launch.id, done); }),
                  StopHow::kKilled);
        driver().forget(launch.id);
        EXPECT_TRUE(
            ask<bool>([&](auto done) { driver().purge(launch.id.vm, launch.id.uid, done); }));
    }
    RecordProperty("lived_over_the_kill", lived);
    EXPECT_TRUE(driver().leftovers().empty());
}

}  // namespace
}  // namespace blixard::hypervisor
