// The hypervisor port: what an agent can ask of the machines on its own host. Implemented by
// hypervisor/qemu (the real one), hypervisor/fake (tests), and the simulation's, which behaves like
// QEMU at its worst.
//
// Threads: everything on one executor. Callbacks are called exactly once, later, on that executor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/vm.h"

namespace blixard::hypervisor {

// Which incarnation of which VM: a VM placed anew has a higher epoch.
struct InstanceId {
    std::string vm;  // "<project>/<name>"
    std::string
        uid;  // the VM record's uid: a deleted and re-created VM of the same name is another VM
    std::uint64_t epoch = 0;

    auto operator<=>(const InstanceId&) const = default;
};

// A disk as the hypervisor shall open it, made first where the file is missing. Paths are made by
// the agent, never taken from a user. The first disk is the one to boot from.
struct DiskFile {
    std::string name;  // the spec's disk name
    std::string path;  // file path, or rbd:... for Ceph
    model::DiskFormat format = model::DiskFormat::kQcow2;
    std::int64_t size_mib = 0;  // of a disk to be made; 0: its image's
    std::string backing_path;   // a disk to be made is an overlay on this file; empty: blank
    model::DiskFormat backing_format = model::DiskFormat::kRaw;
    bool read_only = false;
    // Another host can open it too: guarded by the image lock and the epoch side file.
    bool shared = false;
    std::uint64_t volume_epoch = 0;  // of the volume: rises when another VM takes it
};

// What the hypervisor needs to make a VM run. All of it comes from the spec, the image record and
// this host.
struct Launch {
    InstanceId id;
    model::VmSpec spec;
    std::int64_t generation = 0;  // of the spec; kept with the instance
    std::int64_t restart_generation = 0;
    std::string kernel;  // path; direct kernel boot where not empty
    std::string initrd;
    std::string command_line;
    std::vector<DiskFile> disks;
    bool fenced = false;  // an HA VM: tied to the watchdog, dies when the host's lease is not known
                          // to be valid
    // Asked right before the process is made, on the executor: preparing takes its time, and what
    // allowed this start may be over. Absent: allowed.
    std::function<bool()> still_allowed;
};

enum class InstanceState : std::uint8_t {
    kStarting,  // between the first step of preparing and QMP saying running
    kRunning,
    kPaused,
    kStopping,
    kExited,   // the process is gone; `exit` says how; forget() removes it from the list
    kUnknown,  // the process lives but does not answer its monitor
};
std::string_view instance_state_name(InstanceState state);

// How a process ended. `signal` or `status`; neither where nobody could see it (it died while
// nothing of ours ran).
struct Exit {
    std::optional<int> status;
    std::optional<int> signal;
    bool guest_shutdown = false;  // QMP said the guest powered itself off
    std::string stderr_tail;      // last lines, at most 4 KiB
    WallTime at{};

    bool operator==(const Exit&) const = default;
};

enum class StopHow : std::uint8_t { kGuest, kQuit, kKilled, kAlreadyGone };  // which step ended it
std::string_view stop_how_name(StopHow how);

struct Instance {
    InstanceId id;
    InstanceState state = InstanceState::kStarting;
    int pid = 0;
    std::uint64_t pid_start = 0;  // /proc/<pid>/stat field 22: pid and this name a process for good
    bool fenced = false;
    WallTime started{};
    std::optional<Exit> exit;
    std::int64_t generation = 0;  // of the spec it was started from
    std::int64_t restart_generation = 0;
    std::string machine;      // "q35" | "microvm"
    std::string accelerator;  // "kvm" | "tcg"
    std::vector<model::Address> addresses;
    std::vector<std::string> devices;  // of the host: PCI addresses, ids of mediated devices
    std::string message;               // what it is doing or why it failed

    bool operator==(const Instance&) const = default;
};

// As measured; a member that could not be measured is absent.
struct Usage {
    std::optional<double> cpu_seconds;
    std::optional<std::uint64_t> memory_bytes;
    std::optional<std::uint64_t> disk_read_bytes, disk_written_bytes;
    std::optional<std::uint64_t> network_received_bytes, network_sent_bytes;
};

struct Event {
    enum class Kind : std::uint8_t { kChanged, kExited, kConsole } kind = Kind::kChanged;
    InstanceId id;
};

// A reader of a serial console. All on the executor.
class ConsoleReader {
 public:
    virtual ~ConsoleReader() = default;
    virtual void on_output(std::string_view bytes) = 0;
    virtual void on_end(std::string_view reason) = 0;  // nothing more will come
};
using ConsoleId = std::uint64_t;

class Hypervisor {
 public:
    virtual ~Hypervisor() = default;

    // What is here now, by VM; includes what an earlier daemon started. Cheap: from memory. Empty
    // until recover() is done.
    virtual std::vector<Instance> instances() const = 0;

    // Finds what an earlier daemon left: adopts what lives, notices what died, cleans what was
    // half-made. Once, first.
    virtual void recover(Callback<std::vector<Instance>> done) = 0;

    // Brings a VM up: directory, disks, seed, process, monitor; `done` when the guest's processors
    // run. A guest that has powered itself off before anybody saw it run has started, too: its
    // instance is kExited then. A second start of a VM that has an instance that is not kExited is
    // refused (kExists). On failure nothing is left behind but disks in pools, which may be another
    // host's by then.
    virtual void start(Launch launch, Callback<Instance> done) = 0;

    // Asks the guest, waits `grace`, then quits, then kills. Stopping what is gone gives
    // kAlreadyGone.
    virtual void stop(const InstanceId& id, Millis grace, Callback<StopHow> done) = 0;
    virtual void kill(const InstanceId& id, Callback<StopHow> done) = 0;
    virtual void pause(const InstanceId& id, Callback<bool> done) = 0;
    virtual void resume(const InstanceId& id, Callback<bool> done) = 0;

    // Drops an exited instance from instances(). Its disks stay.
    virtual void forget(const InstanceId& id) = 0;

    // Removes all that the VM has on this host: directory, disks made from its spec, logs. Refused
    // while it runs.
    virtual void purge(const std::string& vm, const std::string& uid, Callback<bool> done) = 0;

    // VMs (and uids) that have a directory here, running or not: what purge() may have to remove.
    virtual std::vector<InstanceId> leftovers() const = 0;

    // Deletes a disk file that no instance has open. Deleting what is not there succeeds.
    virtual void delete_disk(const std::string& path, Callback<bool> done) = 0;

    virtual void usage(const InstanceId& id, Callback<Usage> done) = 0;

    // The kept console output, newest `max_bytes`.
    virtual Result<std::string> console_log(const std::string& vm, std::size_t max_bytes) = 0;
    virtual Result<ConsoleId> console_open(const std::string& vm, ConsoleReader& reader) = 0;
    virtual Status console_write(const std::string& vm, std::string_view bytes) = 0;
    virtual void console_close(ConsoleId console) = 0;

    // Whether the text has appeared on the console since the instance was started.
    virtual bool console_has(const std::string& vm, std::string_view text) = 0;

    // Called on the executor for every change; one listener.
    virtual void set_listener(std::function<void(const Event&)> listener) = 0;

    // Fencing: fenced instances are killed by the watchdog when this is not extended in time.
    // Monotonic, this host.
    virtual void feed(MonoTime deadline) = 0;
};

}  // namespace blixard::hypervisor
