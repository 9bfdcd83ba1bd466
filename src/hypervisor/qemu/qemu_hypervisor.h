// The hypervisor port on QEMU. Everything runs on one os::EventLoop; what blocks runs on its own
// workers.
//
// Layout: <directory>/<uid>/ is a VM's (see records.h); <directory>/watchdog.sock is the
// watchdog's. One driver per directory: the daemon holds a lock on its data directory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "hypervisor/hypervisor.h"
#include "hypervisor/qemu/arguments.h"
#include "hypervisor/qemu/machine.h"
#include "hypervisor/qemu/preparation.h"
#include "hypervisor/qemu/watchdog_client.h"
#include "os/cgroup.h"
#include "os/event_loop.h"
#include "os/file_watch.h"
#include "os/worker_pool.h"

namespace blixard::hypervisor {

struct QemuConfig {
    std::string directory;  // of all VMs; made 0700 where missing
    std::vector<std::string>
        watchdog_command;  // {program, "watchdog", "--dir", directory}: see run_watchdog()
    std::string node;      // this host's name, for the epoch files of shared disks
    QemuHost host;         // with the accelerator as probed
    std::string control_group = "blixard";  // parent of the VMs' control groups
    bool limits = true;                     // false: no control groups
    std::string sysfs_root;                 // for the devices of the host; "": its own
};

class QemuHypervisor final : public Hypervisor {
 public:
    // `config.directory` is made by recover(). The loop and the log must outlive it. VMs outlive
    // it.
    QemuHypervisor(os::EventLoop& loop, Log& log, QemuConfig config);
    ~QemuHypervisor() override;

    std::vector<Instance> instances() const override;
    void recover(Callback<std::vector<Instance>> done) override;
    void start(Launch launch, Callback<Instance> done) override;
    void stop(const InstanceId& id, Millis grace, Callback<StopHow> done) override;
    void kill(const InstanceId& id, Callback<StopHow> done) override;
    void pause(const InstanceId& id, Callback<bool> done) override;
    void resume(const InstanceId& id, Callback<bool> done) override;
    void forget(const InstanceId& id) override;
    void purge(const std::string& vm, const std::string& uid, Callback<bool> done) override;
    std::vector<InstanceId> leftovers() const override;
    void delete_disk(const std::string& path, Callback<bool> done) override;
    void usage(const InstanceId& id, Callback<Usage> done) override;
    Result<std::string> console_log(const std::string& vm, std::size_t max_bytes) override;
    Result<ConsoleId> console_open(const std::string& vm, ConsoleReader& reader) override;
    Status console_write(const std::string& vm, std::string_view bytes) override;
    void console_close(ConsoleId console) override;
    bool console_has(const std::string& vm, std::string_view text) override;
    void set_listener(std::function<void(const Event&)> listener) override;
    void feed(MonoTime deadline) override;

    // Where a VM's own disks belong, for the agent: removed by purge().
    std::string vm_directory(const std::string& uid) const { return config_.directory + "/" + uid; }
    std::string limits_description() const { return cgroups_.describe(); }

    // Asks the watchdog to end; it refuses while it has VMs.
    void quit_watchdog() { watchdog_.quit(); }

 private:
    using MachinePtr = std::shared_ptr<Machine>;
    struct Start {  // one start() on its way
        Launch launch;
        Callback<Instance> done;
        Instance instance;  // until there is a process
        std::vector<os::PciDevice> devices;
        Traces traces;
        MachinePtr machine;
        int attempts = 0;
        std::vector<HeldDisk> held;  // whose locks it takes before it runs
        bool chose_ports = false;
        bool cancelled = false;
        std::vector<Callback<StopHow>> cancelled_by;
    };
    struct Entry {
        MachinePtr machine;            // where there is a process, or was
        std::shared_ptr<Start> start;  // while it is on its way
        int watch = -1;                // of its console log
    };

    struct Found {  // what recover() found in one directory
        InstanceId id;
        std::string directory;
        std::optional<RunRecord> run;
        bool same_boot = false;
    };
    static Result<std::vector<Found>> look(const std::string& directory);
    void limit_recovery();
    void look_around();
    void adopt(const Found& found);
    void guard_all();
    void recovered_if_settled();
    void recovered();
    void welcomed(const std::map<std::string, os::ProcessId>& children);
    void exited(const std::string& directory, const ExitRecord& exit);
    void fence_ourselves();

    Status may_start(const Launch& launch) const;
    void prepare_start(std::shared_ptr<Start> start);
    void spawn(std::shared_ptr<Start> start, Prepared prepared);
    void take_disks(std::shared_ptr<Start> start, const std::shared_ptr<QmpConnection>& monitor,
                    Callback<bool> done);
    void spawned(std::shared_ptr<Start> start, Result<os::ProcessId> process);
    void running(std::shared_ptr<Start> start, Result<bool> up);
    void give_up(std::shared_ptr<Start> start, Error error);
    void clean_up(std::shared_ptr<Start> start, Error error);
    void settle(std::shared_ptr<Start> start);
    void cancel(Start& start, Callback<StopHow> done);
    static bool port_was_taken(const Start& start, const Error& error);

    Result<MachinePtr> alive(const InstanceId& id) const;
    Start* starting(const InstanceId& id) const;
    Status unused(const std::string& disk_path) const;
    std::map<std::string, std::string> taken_devices() const;
    Status take_devices(Start& start) const;
    static Instance instance_of(const Entry& entry);
    void watch_console(Entry& entry);
    std::optional<std::string> directory_of(const std::string& vm) const;
    void drop(const std::string& vm);
    void told(Machine& machine, Event::Kind kind);
    void tell(Event::Kind kind, const InstanceId& id);
    Machine::World world();

    // Work on a worker whose answer is dropped when this has gone. What may wait for Ceph has
    // workers of its own: where that does not answer, nobody else waits.
    enum class Waits : std::uint8_t { kHere, kForCeph };
    template <class T>
    void work(std::function<Result<T>()> task, Callback<T> done, Waits waits = Waits::kHere);
    static Waits waits_of(const Launch& launch);

    static constexpr std::size_t kCephWorkers = 4;  // each waits most of its time

    os::EventLoop& loop_;
    Log& log_;
    const QemuConfig config_;
    const os::Cgroups cgroups_;
    QemuHost host_;
    std::shared_ptr<bool> here_ = std::make_shared<bool>(true);
    os::FileWatch files_;
    std::map<std::string, Entry> entries_;           // by VM
    std::map<std::string, InstanceId> directories_;  // by uid: every VM that has one here
    std::map<ConsoleId, std::string> consoles_;      // whose console
    std::vector<std::shared_ptr<Start>>
        unclear_;  // their process may live: settled at the next welcome
    ConsoleId last_console_ = 0;
    std::function<void(const Event&)> listener_;
    Callback<std::vector<Instance>> recovering_;
    bool recovered_ = false, welcomed_ = false, looked_ = false, adopted_ = false;
    std::map<std::string, os::ProcessId>
        children_;      // of the watchdog, by directory, at its last welcome
    int adopting_ = 0;  // found again, their monitors not connected yet
    TimerId recover_timer_ = 0;
    MonoTime deadline_{};
    TimerId fence_timer_ = 0;
    os::WorkerPool workers_;
    os::WorkerPool ceph_workers_{kCephWorkers};
    WatchdogClient watchdog_;
};

}  // namespace blixard::hypervisor
