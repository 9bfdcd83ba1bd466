// A host for tests: real QEMU, a real watchdog (this test program, started again), a directory of
// its own.
#pragma once

#include <signal.h>

#include <memory>
#include <string>

#include "hypervisor/conformance.h"
#include "hypervisor/qemu/qemu_hypervisor.h"
#include "hypervisor/qemu/test_guest.h"
#include "hypervisor/qemu/watchdog.h"
#include "os/temp_dir.h"

namespace blixard::hypervisor {

class QemuWorld final : public ConformanceWorld {
 public:
    explicit QemuWorld(TestGuest guest) : guest_(std::move(guest)) { restart_driver(); }
    ~QemuWorld() override {
        for (const Instance& instance : driver_->instances())
            driver_->kill(instance.id, [](auto) {});
        loop_.run_until(
            [&] {
                for (const Instance& instance : driver_->instances()) {
                    if (instance.state != InstanceState::kExited) return false;
                }
                return true;
            },
            seconds(20));
        driver_->quit_watchdog();
        driver_.reset();
        loop_.run_until(
            [&] { return os::lock_file(directory() + "/" + kWatchdogLock).has_value(); },
            seconds(15));
    }

    Hypervisor& driver() override { return *driver_; }
    QemuHypervisor& qemu() { return *driver_; }
    void restart_driver() override {
        driver_.reset();
        driver_ = std::make_unique<QemuHypervisor>(loop_, log_, test_config(directory()));
    }
    Launch launch(const std::string& vm) override { return test_launch(guest_, vm); }
    Launch deaf_launch(const std::string& vm) override {
        Launch launch = test_launch(guest_, vm);
        launch.command_line += " blixard.deaf=1";
        return launch;
    }
    bool wait(const std::function<bool()>& done) override {
        const TimerId wake = loop_.after(Millis{5}, [] {});
        const bool became = loop_.run_until(done, seconds(120));
        loop_.cancel(wake);
        return became;
    }
    MonoTime now() const override { return loop_.mono(); }
    void crash(const Instance& instance) override { ::kill(instance.pid, SIGKILL); }

    os::EventLoop& loop() { return loop_; }
    std::string directory() const { return dir_.path() + "/vms"; }
    const TestGuest& guest() const { return guest_; }

 private:
    const os::TempDir dir_;
    const TestGuest guest_;
    NullLog log_;
    os::EventLoop loop_;
    std::unique_ptr<QemuHypervisor> driver_;
};

}  // namespace blixard::hypervisor
