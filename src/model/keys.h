// Where every record lives in the store.
//
//   vms/<project>/<name>/spec | placement | status      nodes/<name>/spec | status | lease
//   volumes/<project>/<name>/spec | status              images/<name>   projects/<name>
//   operations/<id>   failovers/<id>   election/controller   cluster/...
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/vm.h"

namespace blixard::model {

enum class RecordKind : unsigned char {
    kVmSpec,
    kVmPlacement,
    kVmStatus,
    kNodeSpec,
    kNodeStatus,
    kNodeLease,
    kVolumeSpec,
    kVolumeStatus,
    kImage,
    kProject,
    kOperation,
    kFailover,
    kElection,
    kOther
};

// A key taken apart. Views into the key given.
struct ParsedKey {
    RecordKind kind = RecordKind::kOther;
    std::string_view project;  // empty where the kind has none
    std::string_view name;
};
ParsedKey parse_key(std::string_view key);

std::string vm_key(std::string_view project, std::string_view name,
                   std::string_view part);  // part: "spec" ...
std::string node_key(std::string_view name, std::string_view part);
std::string volume_key(std::string_view project, std::string_view name, std::string_view part);
std::string image_key(std::string_view name);
std::string project_key(std::string_view name);
std::string operation_key(std::string_view id);
std::string failover_key(std::string_view id);
// The volume behind a disk of a VM: the one it names, or "<vm>-<disk>", which is the VM's own.
std::string volume_name(std::string_view vm, const Disk& disk);
inline constexpr std::string_view kElectionKey = "election/controller";

}  // namespace blixard::model
