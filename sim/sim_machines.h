// What stays on a simulated host when its daemon dies: QEMU processes, their directories, the local
// disks, and the fencing watchdog. And the shared storage of all hosts, with QEMU's image lock and
// the epoch side file. It tells the truth, whatever a daemon believes.
//
// Threads: one; everything on the timeline.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hypervisor/hypervisor.h"
#include "sim/timeline.h"

namespace blixard::sim {

// Storage that every host sees.
struct SharedStorage {
    struct File {
        std::string locked_by;  // the host whose process has it open for writing; empty: nobody
        bool made = false;      // false: there is only the side file
        // The side file.
        std::uint64_t volume_epoch = 0, epoch = 0;
        std::string node;
    };
    std::map<std::string, File> files;  // by path
};

// How one machine will behave, from its start on.
struct Script {
    Millis prepare{10};
    Millis boot{200};
    Millis shutdown{100};
    std::optional<Millis> dies_after;  // counted from running
    bool powers_off = false;           // ... by the guest's own wish
    bool fails = false;                // its process ends at once
    bool deaf = false;                 // ignores the power button
    bool hangs = false;                // its monitor never answers once it runs
    Millis warm_up{};                  // until it is well, counted from running
};

struct Machine {
    hypervisor::Instance instance;
    hypervisor::Launch launch;
    Script script;
    bool alive = false;
    bool ran = false;       // it has come as far as running
    bool answered = false;  // ... and whoever started it has learnt that
    MonoTime ran_since{};
    int sick = 0;  // as many faults, that may overlap, keep its guest from answering health checks
    bool once_well = false;          // a check has found it so
    std::int64_t checks_failed = 0;  // of those that count, in a row
    MonoTime silent_since{};         // of its monitor; where it says nothing
    bool told_to_end = false;
    std::uint64_t birth = 0;  // names this process among all
};

// Who wants to know of processes: the checks.
class MachineWatcher {
 public:
    virtual ~MachineWatcher() = default;
    virtual void on_process_start(const std::string& host, const Machine& machine) = 0;
    virtual void on_process_end(const std::string& host, const Machine& machine,
                                std::string_view why) = 0;
    // A power cut has torn its local record: nobody can know how it ended.
    virtual void on_record_torn(const Machine& machine) = 0;
    // Its agent has learnt that it is well, or that its checks have failed often enough.
    virtual void on_health(const std::string& host, const Machine& machine, bool well) = 0;
    virtual void on_disk_deleted(const std::string& host, const std::string& path) = 0;
    virtual void on_feed(const std::string& host, MonoTime deadline, const HostClock& clock) = 0;
};

class SimMachines {
 public:
    struct Deps {
        Timeline& timeline;
        const HostClock& clock;  // of this host
        SharedStorage& shared;
        MachineWatcher& watcher;
    };
    SimMachines(Deps deps, std::string host, std::uint64_t seed)
        : deps_(deps), host_(std::move(host)), seed_(seed) {}

    // What the world does to it.
    void end(const std::string& vm, hypervisor::Exit exit, std::string_view why);
    // Its monitor says nothing any more; `span` > 0: and then answers again.
    void hang(const std::string& vm, Millis span);
    // Its guest is not well; `span` > 0: for so long.
    void fall_ill(const std::string& vm, Millis span);
    void cut_power();
    // The power goes while records are being written: of some machines that were up, nothing but
    // the directory is left.
    void cut_power_and_tear(std::uint64_t dice);
    void wipe();
    void pause_watchdog(Millis span);
    void kill_watchdog();
    void set_disk_full(bool full) { disk_full_ = full; }
    void set_troubled(bool troubled) {
        troubled_ = troubled;
    }  // false: machines started from now on behave
    bool troubled() const { return troubled_; }
    // Guests whose health is asked for take their time to be well.
    void set_slow_to_be_well(bool slow) { slow_to_be_well_ = slow; }

    // Its agent has learnt what a health check of it found.
    void checked(Machine& machine, bool well);

    // What a driver asks for.
    Script next_script();
    // What it starts next is prepared for so long; 0: as usual.
    void prepare_next_for(Millis span) { prepare_next_for_ = span; }
    // What takes things away from a disk or a pool meets one that does not answer, at times.
    void fail_next_start() { next_start_fails_ = true; }
    bool fails_to_remove();
    void fail_next_removal() { next_removal_fails_ = true; }
    // Whether it may; and if so, it claims its shared disks.
    Status may_start(const hypervisor::Launch& launch);
    Result<Machine*> spawn(const hypervisor::Launch& launch, const Script& script);
    void signal_end(const std::string& vm, std::uint64_t birth, Millis delay, hypervisor::Exit exit,
                    std::string_view why);
    void feed(MonoTime deadline);
    bool fenced() const { return deps_.clock.mono() >= deadline_; }
    bool watchdog_paused() const { return watchdog_paused_; }
    MonoTime now() const { return deps_.timeline.mono(); }
    bool locked(const std::string& path) const {
        const auto file = deps_.shared.files.find(path);
        return file != deps_.shared.files.end() && !file->second.locked_by.empty();
    }
    void delete_disk(const std::string& path);

    Machine* find(const std::string& vm);
    std::map<std::string, Machine>& machines() { return machines_; }
    const std::map<std::string, Machine>& machines() const { return machines_; }
    // A daemon that comes back asks QEMU, which knows of no stop that its predecessor waited for.
    void forget_stops();
    std::map<std::string, hypervisor::InstanceId>& directories() { return directories_; }
    std::set<std::string>& disks() { return disks_; }

    // The daemon's ear; empty while there is none.
    std::function<void(hypervisor::Event::Kind, const hypervisor::InstanceId&)> listener;

 private:
    void look_at_deadline();
    void run(const std::string& vm, std::uint64_t birth);
    void tell(hypervisor::Event::Kind kind, const hypervisor::InstanceId& id);
    void unlock(const Machine& machine);
    Status claim(const hypervisor::DiskFile& disk, std::uint64_t epoch);

    Deps deps_;
    const std::string host_;
    const std::uint64_t seed_;
    std::map<std::string, Machine> machines_;  // by VM; also those that have ended
    std::map<std::string, hypervisor::InstanceId> directories_;  // by "<vm> <uid>"
    std::set<std::string> disks_;
    std::uint64_t spawned_ = 0, last_birth_ = 0, scripts_ = 0, removals_ = 0;
    std::uint64_t watchdog_run_ = 0;
    Millis prepare_next_for_{};
    MonoTime deadline_{}, watchdog_rests_until_{};
    std::optional<MonoTime> fed_while_paused_;
    bool watchdog_paused_ = false, disk_full_ = false, troubled_ = true;
    bool slow_to_be_well_ = false, next_removal_fails_ = false, next_start_fails_ = false;
};

std::string directory_key(const hypervisor::InstanceId& id);

}  // namespace blixard::sim
