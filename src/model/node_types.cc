// The tables of node.h.
#include "model/documents.h"
#include "model/types.h"
#include "model/validate.h"

#define FIELD(member, ...) field<&Self::member>(#member, __VA_ARGS__)

namespace blixard::model {
namespace json {
namespace {

constexpr Limits kServer = {.length_max = 256, .read_only = true};
constexpr Limits kServerList = {.items_max = 100000, .read_only = true};
constexpr Limits kCount = {.min = 0, .read_only = true};
constexpr Limits kMib = {.min = 0, .unit = "MiB", .read_only = true};

}  // namespace

template <>
const Type& type_of<NodeSpec>() {
    using Self = NodeSpec;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Never used twice, unlike names.", kServer),
        FIELD(created_at, "When the host joined; RFC 3339, UTC.", kServer),
        FIELD(labels, "Labels for constraints and failure domains.",
              {.length_max = 63, .items_max = kLabelsMax, .rule = Rule::kLine}),
        FIELD(zone, "Zone that the host stands in.", {.length_max = 63, .rule = Rule::kToken}),
        FIELD(cost_per_hour, "Price, in any one currency.", {.min = 0, .max = 1000000}),
        FIELD(overcommit, "How much more than it has may be promised."),
        FIELD(schedulable, "false: cordoned, takes no new VMs."),
        FIELD(draining, "Its VMs are being moved away.", {.read_only = true}),
        FIELD(lost_at, "An operator vouches that the host has no power.", kServer),
    };
    static constexpr Type type =
        make_type<Self>("NodeSpec", "What operators say of a host.", fields);
    return type;
}

template <>
const Type& type_of<NumaNode>() {
    using Self = NumaNode;
    static constexpr Field fields[] = {
        FIELD(cpus, "Its CPUs.", kCount),
        FIELD(memory_mib, "Its memory.", kMib),
    };
    static constexpr Type type = make_type<Self>("NumaNode", "A NUMA node of a host.", fields);
    return type;
}

template <>
const Type& type_of<Device>() {
    using Self = Device;
    static constexpr Field fields[] = {
        FIELD(kind, "gpu or pci.", kServer),
        FIELD(model, "Model.", kServer),
        FIELD(address, "PCI address.", kServer),
    };
    static constexpr Type type =
        make_type<Self>("Device", "A device that VMs can be given.", fields);
    return type;
}

template <>
const Type& type_of<NodeStatus>() {
    using Self = NodeStatus;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Of the node.", kServer),
        FIELD(advertise, "ADDRESS:PORT for other hosts.", kServer),
        FIELD(version, "Of the daemon.", kServer),
        FIELD(qemu_version, "Of QEMU.", kServer),
        FIELD(kernel_version, "Of the host's kernel.", kServer),
        FIELD(accelerator, "kvm or tcg, as probed.", kServer),
        FIELD(accelerator_reason, "Why it is that one.", kServer),
        FIELD(boot_id, "Of the host's kernel; changes with each boot.", kServer),
        FIELD(started_at, "Of the daemon; RFC 3339, UTC.", kServer),
        FIELD(cpus, "CPUs of the host.", kCount),
        FIELD(memory_mib, "Memory of the host.", kMib),
        FIELD(disk_mib, "Size of the file system that holds the disks.", kMib),
        FIELD(numa, "NUMA nodes.", {.read_only = true}),
        FIELD(features, "What constraints.features can ask for.", kServerList),
        FIELD(devices, "Devices that VMs can be given.", {.read_only = true}),
        FIELD(pools, "Shared storage pools that are mounted here.", kServerList),
        FIELD(images, "sha256 of the image files that are here.", kServerList),
    };
    static constexpr Type type =
        make_type<Self>("NodeStatus", "What a host's agent found.", fields);
    return type;
}

template <>
const Type& type_of<NodeLease>() {
    using Self = NodeLease;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Of the daemon run that holds it.", kServer),
        FIELD(lease, "The store's lease.", kCount),
        FIELD(ttl_ms, "Its time to live.", {.min = 0, .unit = "ms", .read_only = true}),
        FIELD(since, "RFC 3339, UTC.", kServer),
    };
    static constexpr Type type =
        make_type<Self>("NodeLease", "Goes when its host's lease ends.", fields);
    return type;
}

}  // namespace json

Result<NodeSpec> parse_node_spec(std::string_view text, Mode mode) {
    return parse_as<NodeSpec>(text, mode);
}
Result<NodeStatus> parse_node_status(std::string_view text, Mode mode) {
    return parse_as<NodeStatus>(text, mode);
}
Result<NodeLease> parse_node_lease(std::string_view text, Mode mode) {
    return parse_as<NodeLease>(text, mode);
}

void write(const NodeSpec& value, std::string& out) { write_as(value, out); }
void write(const NodeStatus& value, std::string& out) { write_as(value, out); }
void write(const NodeLease& value, std::string& out) { write_as(value, out); }

}  // namespace blixard::model
