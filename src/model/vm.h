// A virtual machine: what people want (spec), where it shall run (placement), what is true of it
// (status). Three keys with one writer each: the API, the elected controller, the agent of the host
// that the placement names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/short_text.h"
#include "model/schema.h"

namespace blixard::model {

enum class Machine : std::uint8_t {
    kAuto,
    kMicrovm,
    kQ35
};  // auto: microvm where KVM runs and there is no disk to boot, else q35
enum class Run : std::uint8_t { kRunning, kStopped, kPaused };
enum class Restart : std::uint8_t { kNever, kOnFailure, kAlways };
enum class Ha : std::uint8_t {
    kNone,
    kRestart
};  // restart: brought back on another host when its host is lost
enum class Protocol : std::uint8_t { kTcp, kUdp };
enum class HealthKind : std::uint8_t { kProcess, kTcp, kHttp, kSerial };
enum class DiskFormat : std::uint8_t { kQcow2, kRaw };
enum class Firmware : std::uint8_t { kBios, kUefi };

struct Disk {
    std::string name;
    std::int64_t size_mib = 0;  // 0: the size of its image (root) or of its volume
    std::string
        volume;  // an existing volume of the project; empty: a disk of its own, deleted with the VM
    std::string pool;  // storage pool; "" is the host's own ("local")
    DiskFormat format = DiskFormat::kQcow2;
    bool read_only = false;
    json::Extras extras;

    bool operator==(const Disk&) const = default;
};

struct PortForward {
    std::string host_address;    // empty: 127.0.0.1
    std::int64_t host_port = 0;  // 0: a free one is chosen and shown in the status
    std::int64_t guest_port = 0;
    Protocol protocol = Protocol::kTcp;
    json::Extras extras;

    bool operator==(const PortForward&) const = default;
};

struct Nic {
    std::string name;
    std::string network;  // "" or "user": QEMU's user-mode network
    std::string mac;      // empty: derived from the VM's uid
    std::vector<PortForward> forwards;
    json::Extras extras;

    bool operator==(const Nic&) const = default;
};

struct CloudInit {
    std::string user_data;
    std::string meta_data;
    std::string network_config;
    json::Extras extras;

    bool operator==(const CloudInit&) const = default;
};

struct HealthCheck {
    HealthKind kind = HealthKind::kProcess;
    std::int64_t port = 0;  // tcp, http: the guest's port, reached through its forward
    std::string path;       // http; empty: "/"
    std::string pattern;  // serial: this text must appear on the console (plain text, not a regular
                          // expression)
    std::int64_t interval_s = 10;
    std::int64_t timeout_s = 5;
    std::int64_t failures =
        3;  // this many in a row make it unhealthy, and the restart policy decides
    std::int64_t start_period_s = 60;  // failures count only after this, or after the first success
    json::Extras extras;

    bool operator==(const HealthCheck&) const = default;
};

// A rule about other VMs: all with these labels, or the one named. Negative rules are
// anti-affinity.
struct AffinityRule {
    bool anti = false;
    bool hard = true;
    std::map<std::string, std::string> labels;  // VMs that carry all of these
    std::string vm;                             // or this VM of the same project
    std::int64_t max_per_node =
        1;               // anti: at most this many of the group on one node (or in one domain)
    std::string domain;  // "" or "node": the host; else a node label such as "zone"
    std::int64_t weight = 10;  // soft: points lost where it is broken
    json::Extras extras;

    bool operator==(const AffinityRule&) const = default;
};

struct DeviceRequest {
    std::string kind;                 // "gpu" | "pci"
    std::vector<std::string> models;  // allowed models; empty: any
    std::int64_t count = 1;
    std::int64_t share_percent = 100;  // gpu: a part of one
    json::Extras extras;

    bool operator==(const DeviceRequest&) const = default;
};

struct Constraints {
    std::vector<std::string> features;  // the host must have all ("kvm", "avx512", ...)
    std::map<std::string, std::string> node_labels;
    std::string node;  // this host and no other (strategy manual)
    std::vector<std::string> zones_preferred;
    std::vector<std::string> zones_excluded;
    bool zones_strict = false;     // locality: preferred zones are the only ones
    double cost_per_hour_max = 0;  // 0: no cap
    bool numa_split = false;       // may be split evenly over all NUMA nodes
    std::vector<DeviceRequest> devices;
    json::Extras extras;

    bool operator==(const Constraints&) const = default;
};

struct VmSpec {
    std::string image;
    std::int64_t cpus = 1;
    std::int64_t memory_mib = 256;
    Machine machine = Machine::kAuto;
    Firmware firmware = Firmware::kBios;
    std::vector<Disk> disks;  // the first one is the root disk where the image has a disk
    std::vector<Nic> nics;
    CloudInit cloud_init;
    std::string command_line;  // appended to the image's kernel command line
    Ha ha = Ha::kNone;
    std::int64_t priority = 100;  // 0..1000
    bool preemptible = false;
    std::string strategy;  // empty: the project's, then the cluster's default
    std::vector<AffinityRule> affinity;
    Constraints constraints;
    std::optional<HealthCheck> health;
    Restart restart = Restart::kOnFailure;
    std::int64_t stop_timeout_s = 30;
    std::map<std::string, std::string> labels;
    Run run = Run::kRunning;
#ifdef BLIXARD_NEXT_VERSION  // tests/cluster/test_versions.py: a build with a field more than this
    std::string next;
#endif
    json::Extras extras;

    bool operator==(const VmSpec&) const = default;
};

// The value of vms/<project>/<name>/spec. Written by the API.
struct VmRecord {
    std::int64_t schema = 1;
    ShortText uid;
    ShortText created_at;
    std::int64_t generation = 1;          // rises with each change of the spec
    std::int64_t restart_generation = 0;  // rises with each restart that was asked for
    ShortText deleted_at;                 // set: the VM is being deleted
    bool force = false;                   // stop at once, without asking the guest
    VmSpec spec;
    json::Extras extras;

    bool operator==(const VmRecord&) const = default;
};

// The value of vms/<project>/<name>/placement. Written by the controller.
struct Placement {
    std::int64_t schema = 1;
    ShortText uid;     // of the VM record it is for
    std::string node;  // empty: not placed (pending); the epoch is kept so that it never falls
    std::int64_t epoch = 0;
    bool release = false;  // the agent shall stop the VM and say so; then it is placed anew
    std::vector<std::int64_t> numa_nodes;  // of the host, that it is counted against; empty: any
    std::vector<std::int64_t> gpus;        // of the host, by index
    ShortText decided_at;
    std::string
        reason;  // "scheduled", "failover", "drain", "preempted by ...", or why it is pending
    std::string decision;  // the scheduler's decision as a JSON document; empty where there is none
    json::Extras extras;

    bool operator==(const Placement&) const = default;
};

enum class Phase : std::uint8_t {
    kPending,
    kScheduled,
    kStarting,
    kRunning,
    kPaused,
    kStopping,
    kStopped,
    kFailed
};

struct Address {
    std::string nic;
    std::string address;  // "127.0.0.1:34567" for a forward
    std::int64_t guest_port = 0;
    json::Extras extras;

    bool operator==(const Address&) const = default;
};

// The value of vms/<project>/<name>/status. Written by the agent of placement.node.
struct VmStatus {
    std::int64_t schema = 1;
    ShortText uid;
    Phase phase = Phase::kPending;
    ShortText since;  // when the phase began
    std::string message;
    std::string node;
    std::int64_t epoch = 0;       // the placement that this is about
    std::int64_t generation = 0;  // the spec generation that the running machine was started from
    std::int64_t restart_generation = 0;
    std::int64_t pid = 0;
    std::int64_t pid_start = 0;
    ShortText started_at;
    std::string accelerator;    // "kvm" | "tcg"
    std::string machine;        // the machine type in use
    std::int64_t restarts = 0;  // by the restart policy, since the spec last changed
    std::string stopped_by;     // "guest" | "killed" | "exited"
    std::string health;         // "healthy" | "unhealthy" | "" (no check, or not known yet)
    std::vector<Address> addresses;
    std::vector<std::string> devices;  // of the host: PCI addresses, ids of mediated devices
    json::Extras extras;

    bool operator==(const VmStatus&) const = default;
};

// The names of the enums on the wire.
template <>
inline constexpr auto json::kNames<Machine> = json::names("auto", "microvm", "q35");
template <>
inline constexpr auto json::kNames<Run> = json::names("running", "stopped", "paused");
template <>
inline constexpr auto json::kNames<Restart> = json::names("never", "on-failure", "always");
template <>
inline constexpr auto json::kNames<Ha> = json::names("none", "restart");
template <>
inline constexpr auto json::kNames<Protocol> = json::names("tcp", "udp");
template <>
inline constexpr auto json::kNames<HealthKind> = json::names("process", "tcp", "http", "serial");
template <>
inline constexpr auto json::kNames<DiskFormat> = json::names("qcow2", "raw");
template <>
inline constexpr auto json::kNames<Firmware> = json::names("bios", "uefi");
template <>
inline constexpr auto json::kNames<Phase> = json::names(
    "pending", "scheduled", "starting", "running", "paused", "stopping", "stopped", "failed");

std::string_view phase_name(Phase phase);

// The table of legal moves; the same phase is always legal (its message or addresses may change).
bool phase_may_follow(Phase from, Phase to);

}  // namespace blixard::model
