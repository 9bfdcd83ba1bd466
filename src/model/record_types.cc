// The tables of records.h.
#include "model/documents.h"
#include "model/types.h"
#include "model/validate.h"

#define FIELD(member, ...) field<&Self::member>(#member, __VA_ARGS__)

namespace blixard::model {
namespace json {
namespace {

constexpr Limits kServer = {.length_max = 256, .read_only = true};
constexpr Limits kCount = {.min = 0, .read_only = true};
constexpr Limits kMib = {.min = 0, .max = kDiskMibMax, .unit = "MiB"};
constexpr Limits kLabels = {.length_max = 63, .items_max = kLabelsMax, .rule = Rule::kLine};
constexpr Limits kDescription = {.length_max = 1024};
constexpr Limits kName = {.length_max = kNameLengthMax, .rule = Rule::kName};

}  // namespace

template <>
const Type& type_of<ImageFile>() {
    using Self = ImageFile;
    static constexpr Field fields[] = {
        FIELD(role, "What it is for.", {.read_only = true}),
        FIELD(sha256, "Its name: what it contains.", {.rule = Rule::kSha256, .read_only = true}),
        FIELD(size_bytes, "Size of the file.", {.min = 0, .unit = "bytes", .read_only = true}),
        FIELD(format, "Of a disk.", {.read_only = true}),
        FIELD(virtual_size_mib, "Of a disk, rounded up.",
              {.min = 0, .unit = "MiB", .read_only = true}),
    };
    static constexpr Type type =
        make_type<Self>("ImageFile", "A content-addressed file of an image.", fields);
    return type;
}

template <>
const Type& type_of<Image>() {
    using Self = Image;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Never used twice, unlike names.", kServer),
        FIELD(created_at, "RFC 3339, UTC.", kServer),
        FIELD(description, "For people.", kDescription),
        FIELD(files, "One disk, or a kernel with an optional initrd and disk.",
              {.items_max = 3, .read_only = true}),
        FIELD(command_line, "For its kernel.", {.length_max = 2048, .rule = Rule::kLine}),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type = make_type<Self>("Image", "What VMs boot from.", fields);
    return type;
}

template <>
const Type& type_of<VolumeRecord>() {
    using Self = VolumeRecord;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Never used twice, unlike names.", kServer),
        FIELD(created_at, "RFC 3339, UTC.", kServer),
        FIELD(deleted_at, "Set: the volume is being deleted.", kServer),
        FIELD(size_mib, "Size. May grow, never shrink.", kMib),
        FIELD(format, "Format of the file.", {.fixed = true}),
        FIELD(image, "Made as an overlay on this image; empty: blank.", kName),
        FIELD(pool, "Storage pool; empty: local to one host.", kName),
        FIELD(vm, "The VM that owns it and takes it along when deleted; empty: it stands alone.",
              kServer),
        FIELD(epoch, "Rises by one each time a VM takes it; never falls.", kCount),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type =
        make_type<Self>("VolumeRecord", "A volume as the store holds it.", fields);
    return type;
}

template <>
const Type& type_of<VolumeStatus>() {
    using Self = VolumeStatus;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Of the volume.", kServer),
        FIELD(state, "What is true of it.", {.read_only = true}),
        FIELD(node, "Where a local volume lives.", kServer),
        FIELD(message, "What was asked, what was found, what would help.", kServer),
    };
    static constexpr Type type =
        make_type<Self>("VolumeStatus", "What is true of a volume.", fields);
    return type;
}

template <>
const Type& type_of<Quota>() {
    using Self = Quota;
    static constexpr std::int64_t most = std::int64_t{1} << 50;
    static constexpr Field fields[] = {
        FIELD(vms, "VMs; 0: no limit.", {.min = 0, .max = 10000000}),
        FIELD(cpus, "Virtual CPUs of all VMs; 0: no limit.", {.min = 0, .max = most}),
        FIELD(memory_mib, "Memory of all VMs; 0: no limit.",
              {.min = 0, .max = most, .unit = "MiB"}),
        FIELD(disk_mib, "Disks of all VMs; 0: no limit.", {.min = 0, .max = most, .unit = "MiB"}),
    };
    static constexpr Type type = make_type<Self>("Quota", "What a project may use in all.", fields);
    return type;
}

template <>
const Type& type_of<Project>() {
    using Self = Project;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(uid, "Never used twice, unlike names.", kServer),
        FIELD(created_at, "RFC 3339, UTC.", kServer),
        FIELD(description, "For people.", kDescription),
        FIELD(strategy, "Default placement strategy of its VMs.", {.words = kStrategies}),
        FIELD(quota, "What it may use in all."),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type = make_type<Self>(
        "Project", "A room for names and a quota; \"default\" always exists.", fields);
    return type;
}

template <>
const Type& type_of<Operation>() {
    using Self = Operation;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        // Not "kind": that names the document on the wire.
        field<&Self::kind>("operation", "image-import, node-drain, rebalance, ...", kServer),
        FIELD(target, "What it works on: images/debian-13.", kServer),
        FIELD(node, "The host that does it.", kServer),
        FIELD(created_at, "RFC 3339, UTC.", kServer),
        FIELD(ended_at, "RFC 3339, UTC; absent: still running.", kServer),
        FIELD(state, "How it stands.", {.read_only = true}),
        FIELD(done, "Done so far, of total, in unit.", kCount),
        FIELD(total, "All there is to do; 0: not known.", kCount),
        FIELD(unit, "Unit of done and total.", kServer),
        FIELD(blocked, "How many of those left cannot be done as things are; message says why.",
              kCount),
        FIELD(moving, "The VM that is between two hosts now: project/name.", kServer),
        FIELD(message, "What was asked, what was found, what would help.", kServer),
    };
    static constexpr Type type =
        make_type<Self>("Operation", "Something that takes a while.", fields);
    return type;
}

template <>
const Type& type_of<Failover>() {
    using Self = Failover;
    static constexpr Field fields[] = {
        FIELD(schema, "Version of this document's layout.", kCount),
        FIELD(project, "Of the VM.", kServer),
        FIELD(vm, "The VM that was brought back.", kServer),
        FIELD(uid, "Of the VM.", kServer),
        FIELD(from_node, "The lost host.", kServer),
        FIELD(to_node, "The new host.", kServer),
        FIELD(old_epoch, "Epoch of the lost placement.", kCount),
        FIELD(new_epoch, "Epoch of the new placement.", kCount),
        FIELD(lease, "Of the lost host.", kCount),
        FIELD(lease_ttl_ms, "Its time to live.", {.min = 0, .unit = "ms", .read_only = true}),
        FIELD(proof, "lease-ended or operator-vouched.", kServer),
        FIELD(lease_gone_revision, "The store revision at which the host's lease key went.",
              kCount),
        FIELD(lease_gone_seen_at, "RFC 3339, UTC.", kServer),
        FIELD(waited_ms, "The clock-drift margin that was waited after that.",
              {.min = 0, .unit = "ms", .read_only = true}),
        FIELD(self_fence_rule, "When the lost host must have killed its VMs.", kServer),
        FIELD(decided_at, "RFC 3339, UTC.", kServer),
    };
    static constexpr Type type = make_type<Self>(
        "Failover", "The proof that bringing a VM back elsewhere was safe.", fields);
    return type;
}

}  // namespace json

Result<Image> parse_image(std::string_view text, Mode mode) { return parse_as<Image>(text, mode); }
Result<VolumeRecord> parse_volume_record(std::string_view text, Mode mode) {
    return parse_as<VolumeRecord>(text, mode);
}
Result<VolumeStatus> parse_volume_status(std::string_view text, Mode mode) {
    return parse_as<VolumeStatus>(text, mode);
}
Result<Quota> parse_quota(std::string_view text, Mode mode) { return parse_as<Quota>(text, mode); }
Result<Project> parse_project(std::string_view text, Mode mode) {
    return parse_as<Project>(text, mode);
}
Result<Operation> parse_operation(std::string_view text, Mode mode) {
    return parse_as<Operation>(text, mode);
}
Result<Failover> parse_failover(std::string_view text, Mode mode) {
    return parse_as<Failover>(text, mode);
}

void write(const Image& value, std::string& out) { write_as(value, out); }
void write(const VolumeRecord& value, std::string& out) { write_as(value, out); }
void write(const VolumeStatus& value, std::string& out) { write_as(value, out); }
void write(const Quota& value, std::string& out) { write_as(value, out); }
void write(const Project& value, std::string& out) { write_as(value, out); }
void write(const Operation& value, std::string& out) { write_as(value, out); }
void write(const Failover& value, std::string& out) { write_as(value, out); }

}  // namespace blixard::model
