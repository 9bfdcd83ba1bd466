#include "model/keys.h"

namespace blixard::model {
namespace {

std::string join(std::string_view a, std::string_view b, std::string_view c = {},
                 std::string_view d = {}) {
    std::string key;
    key.reserve(a.size() + b.size() + c.size() + d.size() + 3);
    key.append(a).append("/").append(b);
    if (!c.empty()) key.append("/").append(c);
    if (!d.empty()) key.append("/").append(d);
    return key;
}

// Cuts the part before the next '/' off `rest`.
std::string_view cut(std::string_view& rest) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    return part;
}

}  // namespace

ParsedKey parse_key(std::string_view key) {
    std::string_view rest = key;
    const std::string_view table = cut(rest);
    ParsedKey parsed;
    if (table == "vms" || table == "volumes") {
        parsed.project = cut(rest);
        parsed.name = cut(rest);
        const bool vm = table == "vms";
        if (rest == "spec") parsed.kind = vm ? RecordKind::kVmSpec : RecordKind::kVolumeSpec;
        if (rest == "status") parsed.kind = vm ? RecordKind::kVmStatus : RecordKind::kVolumeStatus;
        if (rest == "placement" && vm) parsed.kind = RecordKind::kVmPlacement;
        return parsed;
    }
    if (table == "nodes") {
        parsed.name = cut(rest);
        if (rest == "spec") parsed.kind = RecordKind::kNodeSpec;
        if (rest == "status") parsed.kind = RecordKind::kNodeStatus;
        if (rest == "lease") parsed.kind = RecordKind::kNodeLease;
        return parsed;
    }
    parsed.name = rest;
    if (key == kElectionKey) parsed.kind = RecordKind::kElection;
    if (rest.empty() || rest.find('/') != std::string_view::npos) return parsed;
    if (table == "images") parsed.kind = RecordKind::kImage;
    if (table == "projects") parsed.kind = RecordKind::kProject;
    if (table == "operations") parsed.kind = RecordKind::kOperation;
    if (table == "failovers") parsed.kind = RecordKind::kFailover;
    return parsed;
}

std::string vm_key(std::string_view project, std::string_view name, std::string_view part) {
    return join("vms", project, name, part);
}
std::string node_key(std::string_view name, std::string_view part) {
    return join("nodes", name, part);
}
std::string volume_key(std::string_view project, std::string_view name, std::string_view part) {
    return join("volumes", project, name, part);
}
std::string image_key(std::string_view name) { return join("images", name); }
std::string project_key(std::string_view name) { return join("projects", name); }
std::string operation_key(std::string_view id) { return join("operations", id); }
std::string failover_key(std::string_view id) { return join("failovers", id); }

std::string volume_name(std::string_view vm, const Disk& disk) {
    if (!disk.volume.empty()) return disk.volume;
    std::string name(vm);
    name += '-';
    name += disk.name;
    return name;
}

}  // namespace blixard::model
