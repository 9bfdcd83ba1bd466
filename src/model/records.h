// The smaller records: images, volumes, projects, operations, failovers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/schema.h"
#include "model/vm.h"

namespace blixard::model {

enum class FileRole : std::uint8_t { kDisk, kKernel, kInitrd };

// One content-addressed file of an image.
struct ImageFile {
    FileRole role = FileRole::kDisk;
    std::string sha256;
    std::int64_t size_bytes = 0;
    DiskFormat format = DiskFormat::kRaw;  // of a disk
    std::int64_t virtual_size_mib = 0;     // of a disk, rounded up
    json::Extras extras;

    bool operator==(const ImageFile&) const = default;
};

// The value of images/<name>. Immutable but for its labels.
struct Image {
    std::int64_t schema = 1;
    std::string uid;
    std::string created_at;
    std::string description;
    std::vector<ImageFile>
        files;  // one disk, or a kernel with an optional initrd (and an optional disk)
    std::string command_line;  // for a kernel
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const Image&) const = default;
};

enum class VolumeState : std::uint8_t { kDefined, kReady, kDeleting };

// The value of volumes/<project>/<name>/spec: root and extra disks alike. Written by the API.
struct VolumeRecord {
    std::int64_t schema = 1;
    std::string uid;
    std::string created_at;
    std::string deleted_at;
    std::int64_t size_mib = 0;
    DiskFormat format = DiskFormat::kQcow2;
    std::string image;  // made as an overlay on this image; empty: blank
    std::string pool;   // "" : local to one host
    std::string vm;  // the VM that owns it and takes it along when deleted; empty: it stands alone
    std::int64_t epoch = 0;  // rises each time a VM takes it; never falls (docs/FENCING.md)
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const VolumeRecord&) const = default;
};

// The value of volumes/<project>/<name>/status. Written by the agent that made the file.
struct VolumeStatus {
    std::int64_t schema = 1;
    std::string uid;
    VolumeState state = VolumeState::kDefined;
    std::string node;  // where a local volume lives
    std::string message;
    json::Extras extras;

    bool operator==(const VolumeStatus&) const = default;
};

struct Quota {
    std::int64_t vms = 0;  // 0: no limit
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;
    json::Extras extras;

    bool operator==(const Quota&) const = default;
};

// The value of projects/<name>. "default" always exists.
struct Project {
    std::int64_t schema = 1;
    std::string uid;
    std::string created_at;
    std::string description;
    std::string strategy;  // default placement strategy of its VMs
    Quota quota;
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const Project&) const = default;
};

enum class OperationState : std::uint8_t { kRunning, kDone, kFailed, kCancelled };

// The value of operations/<id>: something that takes a while, with its progress.
struct Operation {
    std::int64_t schema = 1;
    std::string kind;    // "image-import", "node-drain", ...; "operation" in JSON
    std::string target;  // "images/debian-13"
    std::string node;    // the host that does it
    std::string created_at;
    std::string ended_at;
    OperationState state = OperationState::kRunning;
    std::int64_t done = 0;  // of `total`, in `unit`; total 0: not known
    std::int64_t total = 0;
    std::string unit;
    std::int64_t blocked = 0;  // of what is left: cannot be done as things are; `message` says why
    std::string moving;        // the VM that is between two hosts now: "project/name"
    std::string message;
    json::Extras extras;

    bool operator==(const Operation&) const = default;
};

// The value of failovers/<id>: the proof that moving a VM was safe.
struct Failover {
    std::int64_t schema = 1;
    std::string project;
    std::string vm;
    std::string uid;
    std::string from_node;
    std::string to_node;
    std::int64_t old_epoch = 0;
    std::int64_t new_epoch = 0;
    std::int64_t lease = 0;  // of the lost host
    std::int64_t lease_ttl_ms = 0;
    std::string proof;                     // "lease-ended" | "operator-vouched"
    std::int64_t lease_gone_revision = 0;  // the store revision at which the host's lease key went
    std::string lease_gone_seen_at;
    std::int64_t waited_ms = 0;  // the clock-drift margin that was waited after that
    std::string
        self_fence_rule;  // when the lost host must have killed its VMs, in words and numbers
    std::string decided_at;
    json::Extras extras;

    bool operator==(const Failover&) const = default;
};

// The names of the enums on the wire.
template <>
inline constexpr auto json::kNames<FileRole> = json::names("disk", "kernel", "initrd");
template <>
inline constexpr auto json::kNames<VolumeState> = json::names("defined", "ready", "deleting");
template <>
inline constexpr auto json::kNames<OperationState> =
    json::names("running", "done", "failed", "cancelled");

}  // namespace blixard::model
