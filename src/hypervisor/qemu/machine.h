// One QEMU process, from the moment it exists to its end: its monitor, its state, how it is
// stopped.
//
// Threads: the loop's. Held by shared_ptr; the hypervisor owns it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "hypervisor/hypervisor.h"
#include "hypervisor/qemu/console.h"
#include "hypervisor/qemu/console_log.h"
#include "hypervisor/qemu/qmp.h"
#include "hypervisor/qemu/records.h"
#include "os/event_loop.h"
#include "os/process.h"

namespace blixard::hypervisor {

class Machine : public std::enable_shared_from_this<Machine> {
 public:
    struct World {
        os::EventLoop& loop;
        Log& log;
        std::function<void(Machine&, Event::Kind)> tell;
    };

    // No process yet; the instance says kStarting.
    Machine(World world, std::string directory, const LaunchRecord& record);
    ~Machine();

    // The process exists: watches it, opens its monitor. `up` when its processors run, or it has
    // ended or does not answer. A pid that is gone already ends the machine. `adopted`: found by a
    // later daemon.
    void attach(os::ProcessId process, bool adopted, Callback<bool> up);

    // Of a machine that is started standing (LaunchRecord::held): asked once, when its monitor
    // answers; its processors run when the gate says true, and it is not up where it says no.
    // Before attach().
    using Gate = std::function<void(const std::shared_ptr<QmpConnection>&, Callback<bool>)>;
    void set_gate(Gate gate) { gate_ = std::move(gate); }

    // How it ended, from the watchdog that reaped it.
    void ended(const ExitRecord& record);

    // The watchdog is not its parent (any more): nobody will tell how it ends.
    void orphaned();

    void stop(Millis grace, Callback<StopHow> done);
    void kill(Callback<StopHow> done);
    void kill_now();  // the signal alone; its end is told as any other
    void fence();     // likewise, because the host's lease may have ended
    void set_paused(bool paused, Callback<bool> done);
    void usage(Callback<Usage> done);
    void set_message(std::string message) { instance_.message = std::move(message); }

    const Instance& instance() const { return instance_; }
    const LaunchRecord& record() const { return record_; }
    const std::string& directory() const { return directory_; }
    bool alive() const { return static_cast<bool>(pidfd_); }
    bool exited() const { return instance_.state == InstanceState::kExited; }
    Console& console() { return console_; }
    ConsoleLog& log() { return console_log_; }

 private:
    void open_monitor();
    void monitor_ready(const Result<bool>& ready);
    void monitor_lost(const Error& error);
    void event(const QmpMessage& message);
    void ask_status();
    void took_status(const Result<std::string>& status);
    void held();
    void let_run(const Result<bool>& allowed);
    void set_state(InstanceState state);
    void arm_up_timer();
    void answer_up(Result<bool> result);

    void press_power_button();
    void quit();
    void process_gone();
    void finish(const os::ExitStatus& exit, bool by_fencing, WallTime at);
    void answer_stops();

    World world_;
    const std::string directory_;
    const LaunchRecord record_;
    Instance instance_;
    os::UniqueFd pidfd_;
    std::shared_ptr<QmpConnection> monitor_;
    Console console_;
    ConsoleLog console_log_;
    Callback<bool> up_;
    Gate gate_;

    TimerId poll_ = 0, reconnect_ = 0, exit_timer_ = 0, up_timer_ = 0;
    bool adopted_ = false, orphan_ = false, fenced_ = false;
    bool guest_shutdown_ = false, guest_panicked_ = false;

    // A stop on its way.
    std::vector<Callback<StopHow>> stops_;
    TimerId grace_timer_ = 0, button_timer_ = 0;
    bool asked_quit_ = false, killed_ = false;
};

}  // namespace blixard::hypervisor
