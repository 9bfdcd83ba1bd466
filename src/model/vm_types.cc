// The tables of vm.h.
#include "model/documents.h"
#include "model/types.h"
#include "model/validate.h"

#define FIELD(member, ...) field<&Self::member>(#member, __VA_ARGS__)

namespace blixard::model {
namespace json {
namespace {

constexpr Limits kName = {.length_max = kNameLengthMax, .rule = Rule::kName};
constexpr Limits kToken = {.length_max = 63, .rule = Rule::kToken};
constexpr Limits kLabels = {.length_max = 63, .items_max = kLabelsMax, .rule = Rule::kLine};
constexpr Limits kServer = {.length_max = 256, .read_only = true};
constexpr Limits kCount = {.min = 0, .read_only = true};
constexpr Limits kPort = {.min = 0, .max = 65535};

constexpr auto kDeviceKinds = names("gpu", "pci");

}  // namespace

template <>
const Type& type_of<Disk>() {
    using Self = Disk;
    static constexpr Field fields[] = {
        FIELD(name, "Name of the disk, unique in its VM.",
              {.length_max = kNameLengthMax, .rule = Rule::kName, .required = true}),
        FIELD(size_mib, "Size; 0: as large as its image or volume. May grow, never shrink.",
              {.min = 0, .max = kDiskMibMax, .unit = "MiB"}),
        FIELD(volume,
              "An existing volume of the project; empty: a disk of its own, deleted with the VM.",
              {.length_max = kNameLengthMax, .rule = Rule::kName, .fixed = true}),
        FIELD(pool, "Storage pool; empty: the host's own.",
              {.length_max = kNameLengthMax, .rule = Rule::kName, .fixed = true}),
        FIELD(format, "Format of the file.", {.fixed = true}),
        FIELD(read_only, "The guest cannot write to it."),
    };
    static constexpr Type type = make_type<Self>("Disk", "A disk of a VM.", fields);
    return type;
}

template <>
const Type& type_of<PortForward>() {
    using Self = PortForward;
    static constexpr Field fields[] = {
        FIELD(host_address, "IP address on the host; empty: 127.0.0.1.",
              {.length_max = 45, .rule = Rule::kIp}),
        FIELD(host_port, "Port on the host; 0: a free one is chosen and shown in the status.",
              kPort),
        FIELD(guest_port, "Port in the guest.", {.min = 1, .max = 65535}),
        FIELD(protocol, "tcp or udp."),
    };
    static constexpr Type type =
        make_type<Self>("PortForward", "A port of the host that leads into the guest.", fields);
    return type;
}

template <>
const Type& type_of<Nic>() {
    using Self = Nic;
    static constexpr Field fields[] = {
        FIELD(name, "Name of the interface, unique in its VM.",
              {.length_max = kNameLengthMax, .rule = Rule::kName, .required = true}),
        FIELD(network, "Network; empty or \"user\": QEMU's user-mode network.", kName),
        FIELD(mac, "MAC address; empty: derived from the VM's uid.",
              {.length_max = 17, .rule = Rule::kMac}),
        FIELD(forwards, "Ports of the host that lead into the guest (user-mode network).",
              {.items_max = 64}),
    };
    static constexpr Type type = make_type<Self>("Nic", "A network interface of a VM.", fields);
    return type;
}

template <>
const Type& type_of<CloudInit>() {
    using Self = CloudInit;
    static constexpr Limits document = {.length_max = kCloudInitBytesMax};
    static constexpr Field fields[] = {
        FIELD(user_data, "NoCloud user-data.", document),
        FIELD(meta_data, "NoCloud meta-data; empty: instance-id and host name of the VM.",
              document),
        FIELD(network_config, "NoCloud network-config.", document),
    };
    static constexpr Type type = make_type<Self>(
        "CloudInit", "What the guest's cloud-init is given, as a NoCloud seed.", fields);
    return type;
}

template <>
const Type& type_of<HealthCheck>() {
    using Self = HealthCheck;
    static constexpr Field fields[] = {
        FIELD(kind,
              "process: QEMU lives; tcp: the port answers; http: status 200-399; serial: the text "
              "appears."),
        FIELD(port, "tcp, http: the guest's port, reached through its forward.", kPort),
        FIELD(path, "http: the path asked for; empty: \"/\".",
              {.length_max = 1024, .rule = Rule::kLine}),
        FIELD(pattern, "serial: this text must appear on the console.",
              {.length_max = 256, .rule = Rule::kLine}),
        FIELD(interval_s, "Between two checks.", {.min = 1, .max = 3600, .unit = "s"}),
        FIELD(timeout_s, "For one check; at most interval_s.", {.min = 1, .max = 600, .unit = "s"}),
        FIELD(failures, "This many in a row make the VM unhealthy.", {.min = 1, .max = 100}),
        FIELD(start_period_s, "Failures count only after this, or after the first success.",
              {.min = 0, .max = 86400, .unit = "s"}),
    };
    static constexpr Type type =
        make_type<Self>("HealthCheck", "How the host finds out whether the guest is well.", fields);
    return type;
}

template <>
const Type& type_of<AffinityRule>() {
    using Self = AffinityRule;
    static constexpr Field fields[] = {
        FIELD(anti, "Keep apart instead of together."),
        FIELD(hard, "A hard rule must hold; a soft one costs points where it does not."),
        FIELD(labels, "The VMs of the same project that carry all of these labels.", kLabels),
        FIELD(vm, "Or this one VM of the same project.", kName),
        FIELD(max_per_node, "anti: at most this many of the group in one domain.",
              {.min = 1, .max = 10000}),
        FIELD(domain, "Empty or \"node\": the host; else a node label such as \"zone\".", kToken),
        FIELD(weight, "soft: points lost where it is broken.", {.min = 0, .max = 1000}),
    };
    static constexpr Type type = make_type<Self>(
        "AffinityRule", "A rule about other VMs near or far from this one.", fields);
    return type;
}

template <>
const Type& type_of<DeviceRequest>() {
    using Self = DeviceRequest;
    static constexpr Field fields[] = {
        FIELD(kind, "gpu or pci.", {.words = kDeviceKinds, .required = true}),
        FIELD(models, "Allowed models; gpu: empty is any; pci: exactly one, VENDOR:DEVICE.",
              {.length_max = 63, .items_max = 32, .rule = Rule::kLine}),
        FIELD(count, "How many.", {.min = 1, .max = 64}),
        FIELD(share_percent, "gpu: a part of one device.", {.min = 1, .max = 100, .unit = "%"}),
    };
    static constexpr Type type = make_type<Self>(
        "DeviceRequest", "Devices of the host that the VM needs for itself.", fields);
    return type;
}

template <>
const Type& type_of<Constraints>() {
    using Self = Constraints;
    static constexpr Field fields[] = {
        FIELD(features, "The host must have all of these.", kToken),
        FIELD(node_labels, "The host must carry all of these labels.", kLabels),
        FIELD(node, "This host and no other (strategy manual).", kName),
        FIELD(zones_preferred, "Zones to prefer, best first (strategy locality).", kToken),
        FIELD(zones_excluded, "Zones to stay out of.", kToken),
        FIELD(zones_strict, "The preferred zones are the only ones."),
        FIELD(cost_per_hour_max, "Hosts that cost more are out; 0: no cap.", {.min = 0}),
        FIELD(numa_split, "May be split evenly over all NUMA nodes of a host."),
        FIELD(devices, "Devices of the host.", {.items_max = 16}),
    };
    static constexpr Type type =
        make_type<Self>("Constraints", "Which hosts come into question.", fields);
    return type;
}

template <>
const Type& type_of<VmSpec>() {
    using Self = VmSpec;
    static constexpr Field fields[] = {
        FIELD(image, "Image that it boots from; may be empty where the root disk is a volume.",
              {.length_max = kNameLengthMax, .rule = Rule::kName, .fixed = true}),
        FIELD(cpus, "Virtual CPUs.", {.min = 1, .max = kCpusMax}),
        FIELD(memory_mib, "Memory.", {.min = kMemoryMibMin, .max = kMemoryMibMax, .unit = "MiB"}),
        FIELD(machine, "auto: microvm where KVM runs and there is no disk to boot, else q35."),
        FIELD(firmware, "Firmware for booting from a disk.", {.fixed = true}),
        FIELD(disks, "The first one is the root disk where the image has a disk.",
              {.items_max = 16}),
        FIELD(nics, "Network interfaces.", {.items_max = 8}),
        FIELD(cloud_init, "Seed for cloud-init."),
        FIELD(command_line, "Appended to the image's kernel command line.",
              {.length_max = 2048, .rule = Rule::kLine}),
        FIELD(ha, "restart: brought back on another host when its host is lost."),
        FIELD(priority, "Higher goes first, and may evict lower preemptible VMs.",
              {.min = 0, .max = kPriorityMax}),
        FIELD(preemptible, "May be evicted for a VM of higher priority."),
        FIELD(strategy, "Placement strategy; empty: the project's, then the cluster's.",
              {.words = kStrategies}),
        FIELD(affinity, "Rules about other VMs.", {.items_max = 32}),
        FIELD(constraints, "Which hosts come into question."),
        FIELD(health, "Health check; absent: none."),
        FIELD(restart, "What happens when it dies or becomes unhealthy."),
        FIELD(stop_timeout_s, "The guest has this long to stop before it is made to.",
              {.min = 0, .max = 3600, .unit = "s"}),
        FIELD(labels, "Labels for selecting and affinity.", kLabels),
        FIELD(run, "What it shall do."),
#ifdef BLIXARD_NEXT_VERSION
        FIELD(next, "What only the next version knows.", {.length_max = 64}),
#endif
    };
    static constexpr Type type = make_type<Self>("VmSpec", "What people want of a VM.", fields);
    return type;
}

template <>
const Type& type_of<VmRecord>() {
    using Self = VmRecord;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Never used twice, unlike names.", kServer),
        FIELD(created_at, "RFC 3339, UTC.", kServer),
        FIELD(generation, "Rises with each change of the spec.", kCount),
        FIELD(restart_generation, "Rises with each restart that was asked for.", kCount),
        FIELD(deleted_at, "Set: the VM is being deleted.", kServer),
        FIELD(force, "Stop at once, without asking the guest.", {.read_only = true}),
        FIELD(spec, "What people want."),
    };
    static constexpr Type type = make_type<Self>("VmRecord", "A VM as the store holds it.", fields);
    return type;
}

template <>
const Type& type_of<Placement>() {
    using Self = Placement;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Of the VM that it is for.", kServer),
        FIELD(node, "The host; empty: none found (pending).", kServer),
        FIELD(epoch, "Rises by one each time the VM is placed; never falls.", kCount),
        FIELD(decided_at, "RFC 3339, UTC.", kServer),
        FIELD(release, "The agent stops the VM and says so; then it is placed anew.", kServer),
        FIELD(numa_nodes, "NUMA nodes of the host that it is counted against.", kServer),
        FIELD(gpus, "GPUs of the host, by index.", kServer),
        FIELD(reason, "Why it was placed, or why it is pending.", kServer),
        FIELD(decision, "The scheduler's decision: chosen, score, runners-up, refusals by reason.",
              {.read_only = true, .raw_json = true}),
    };
    static constexpr Type type = make_type<Self>("Placement", "Where a VM shall run.", fields);
    return type;
}

template <>
const Type& type_of<Address>() {
    using Self = Address;
    static constexpr Field fields[] = {
        FIELD(nic, "The interface.", kServer),
        FIELD(address, "Address, or ADDRESS:PORT of a forward.", kServer),
        FIELD(guest_port, "Port in the guest that a forward leads to.", kCount),
    };
    static constexpr Type type =
        make_type<Self>("Address", "Where the guest can be reached.", fields);
    return type;
}

template <>
const Type& type_of<VmStatus>() {
    using Self = VmStatus;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Of the VM that it is about.", kServer),
        FIELD(phase, "What is true of it now.", {.read_only = true}),
        FIELD(since, "When the phase began; RFC 3339, UTC.", kServer),
        FIELD(message, "What was asked, what was found, what would help.", kServer),
        FIELD(node, "The host that says so.", kServer),
        FIELD(epoch, "The placement that this is about.", kCount),
        FIELD(generation, "The spec generation that the running machine was started from.", kCount),
        FIELD(restart_generation, "The restart that was carried out last.", kCount),
        FIELD(pid, "Of QEMU on the host.", kCount),
        FIELD(pid_start,
              "Start time of that process, as in /proc/PID/stat; clock ticks since boot.", kCount),
        FIELD(started_at, "RFC 3339, UTC.", kServer),
        FIELD(accelerator, "kvm or tcg.", kServer),
        FIELD(machine, "Machine type in use.", kServer),
        FIELD(restarts, "By the restart policy, since the spec last changed.", kCount),
        FIELD(stopped_by, "guest, quit, killed or exited.", kServer),
        FIELD(health, "healthy or unhealthy; absent: no check, or not known yet.", kServer),
        FIELD(addresses, "Where the guest can be reached.", {.read_only = true}),
        FIELD(devices, "The host's devices that it has: PCI addresses, ids of mediated devices.",
              {.read_only = true}),
    };
    static constexpr Type type = make_type<Self>("VmStatus", "What is true of a VM.", fields);
    return type;
}

}  // namespace json

Result<VmSpec> parse_vm_spec(std::string_view text, Mode mode) {
    return parse_as<VmSpec>(text, mode);
}
Result<VmRecord> parse_vm_record(std::string_view text, Mode mode) {
    return parse_as<VmRecord>(text, mode);
}
Result<Placement> parse_placement(std::string_view text, Mode mode) {
    return parse_as<Placement>(text, mode);
}
Result<VmStatus> parse_vm_status(std::string_view text, Mode mode) {
    return parse_as<VmStatus>(text, mode);
}

void write(const VmSpec& value, std::string& out) { write_as(value, out); }
void write(const VmRecord& value, std::string& out) { write_as(value, out); }
void write(const Placement& value, std::string& out) { write_as(value, out); }
void write(const VmStatus& value, std::string& out) { write_as(value, out); }

}  // namespace blixard::model
