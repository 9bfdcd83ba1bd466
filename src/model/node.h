// A host. spec: what operators say of it; status: what its agent found; lease: a key that lives as
// long as the host does.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/schema.h"

namespace blixard::model {

// shared: CPUs are time-shared (32 virtual ones for each), memory is never promised twice, disks
// are thin (4:1). What a host does unless people say otherwise, as in incus or Proxmox. The others
// promise less, or more memory than there is.
enum class Overcommit : std::uint8_t { kShared, kNone, kConservative, kModerate, kAggressive };

// The value of nodes/<name>/spec. Written by the API (and once by the joining host).
struct NodeSpec {
    std::int64_t schema = 1;
    std::string uid;
    std::string created_at;
    std::map<std::string, std::string> labels;
    std::string zone;
    double cost_per_hour = 0;
    Overcommit overcommit = Overcommit::kShared;
    bool schedulable = true;  // false: cordoned
    bool draining = false;
    std::string lost_at;  // set by `node lost`: an operator vouches that the host has no power
    json::Extras extras;

    bool operator==(const NodeSpec&) const = default;
};

struct NumaNode {
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    json::Extras extras;

    bool operator==(const NumaNode&) const = default;
};

struct Device {
    std::string kind;  // "gpu" | "pci"
    std::string model;
    std::string address;
    json::Extras extras;

    bool operator==(const Device&) const = default;
};

// The value of nodes/<name>/status. Written by the host's agent, only when a fact that matters
// changes.
struct NodeStatus {
    std::int64_t schema = 1;
    std::string uid;
    std::string advertise;  // ADDR:PORT for other hosts
    std::string version;    // of the daemon
    std::string qemu_version;
    std::string kernel_version;
    std::string accelerator;  // "kvm" | "tcg"
    std::string accelerator_reason;
    std::string boot_id;
    std::string started_at;  // of the daemon
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;  // size of the file system that holds the disks
    std::vector<NumaNode> numa;
    std::vector<std::string> features;
    std::vector<Device> devices;
    std::vector<std::string> pools;   // shared storage pools that are mounted here
    std::vector<std::string> images;  // sha256 of the image files that are here
    json::Extras extras;

    bool operator==(const NodeStatus&) const = default;
};

// The value of nodes/<name>/lease: it goes when the host's lease ends.
struct NodeLease {
    std::int64_t schema = 1;
    std::string uid;  // of the daemon run that holds it
    std::int64_t lease = 0;
    std::int64_t ttl_ms = 0;
    std::string since;
    json::Extras extras;

    bool operator==(const NodeLease&) const = default;
};

// The names of the enums on the wire.
template <>
inline constexpr auto json::kNames<Overcommit> =
    json::names("shared", "none", "conservative", "moderate", "aggressive");

}  // namespace blixard::model
