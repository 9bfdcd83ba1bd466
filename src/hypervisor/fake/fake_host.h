// What stays on a host when its daemon dies: machines, their disks and consoles, and the fencing
// watchdog. In memory.
//
// Threads: everything on the executor, which must outlive the host.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "hypervisor/hypervisor.h"

namespace blixard::hypervisor {

// How a fake machine behaves. What a test does not set is a healthy guest.
struct FakeScript {
    Millis prepare_takes{5};            // disks and seed: nothing runs yet
    Millis boot_takes{20};              // from the process to the processors running
    Millis stop_takes{10};              // from the power button to the end
    std::optional<Error> start_fails;   // after prepare_takes
    std::optional<Millis> exits_after;  // by itself, counted from running; `exit` says how
    Exit exit{.status = 1};
    bool ignores_stop = false;  // the guest does not listen to its power button: ended by quit
    bool hangs = false;         // once running, its monitor answers nothing: only a kill helps
    std::string console = "fake guest ready\n";  // printed when it runs
};

class FakeHost {
 public:
    FakeHost(Executor& executor, const Clock& clock) : executor_(executor), clock_(clock) {}
    ~FakeHost();
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    // For every VM, and for one ("<project>/<name>"), from its next start on.
    void set_script(FakeScript script) { script_ = std::move(script); }
    void set_script(const std::string& vm, FakeScript script) { scripts_[vm] = std::move(script); }

    // What the world does to it.
    void crash(const std::string& vm, Exit exit);  // its process ends
    void guest_powers_off(const std::string& vm);
    void print(const std::string& vm, std::string_view text);
    void set_hangs(const std::string& vm, bool hangs);  // from now on
    void cut_power();                                   // everything that runs is gone; disks stay
    // The storage of its disks: away, none of them can be deleted.
    void set_storage_away(bool away) { storage_away_ = away; }

    // What is true here, whatever a driver believes.
    bool runs(const std::string& vm) const;  // its process lives
    std::vector<InstanceId> running() const;
    const std::vector<InstanceId>& starts() const {
        return starts_;
    }  // every process ever made, in order
    const std::set<std::string>& disks() const { return disks_; }
    std::string input(const std::string& vm) const;  // what was typed into its console
    bool fenced() const;                             // the deadline has passed

 private:
    friend class FakeHypervisor;

    struct Machine {
        Instance instance;
        Launch launch;
        FakeScript script;
        bool alive = false;  // a process exists
        std::string console, input;
        std::vector<TimerId> timers;
        std::vector<std::function<void(const Machine&)>> on_exit;
    };

    Machine* find(const std::string& vm);
    const FakeScript& script_of(const std::string& vm) const;
    Machine& spawn(const Launch& launch);
    void run(Machine& machine);
    void end(Machine& machine, Exit exit);
    void later(Machine& machine, Millis delay, std::function<void(Machine&)> then);
    void tell(Event::Kind kind, const InstanceId& id);
    void feed(MonoTime deadline);
    void fence();

    Executor& executor_;
    const Clock& clock_;
    std::shared_ptr<bool> here_ =
        std::make_shared<bool>(true);  // posted tasks see whether we are gone
    FakeScript script_;
    std::map<std::string, FakeScript> scripts_;
    std::map<std::string, std::unique_ptr<Machine>> machines_;  // by VM
    std::map<std::string, InstanceId> directories_;  // by VM and uid: what purge() removes
    std::set<std::string> disks_;
    bool storage_away_ = false;
    // The highest epochs, of the volume and of the VM, that have opened a shared disk.
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> disk_epochs_;
    std::vector<InstanceId> starts_;
    int last_pid_ = 1000;
    MonoTime deadline_{};
    TimerId fence_timer_ = 0;
    std::function<void(const Event&)> listener_;
    std::function<void(const std::string&, std::string_view)> output_;
};

}  // namespace blixard::hypervisor
