#include "model/validate.h"

#include <algorithm>
#include <set>
#include <utility>

#include "model/types.h"

namespace blixard::model {
namespace {

using json::check_fixed;
using json::check_limits;
using json::Path;
using json::type_of;

Status refuse(const Path& path, std::string_view member, std::string message,
              std::string help = {}) {
    return fail_field(Path{&path, member}.text(), std::move(message), std::move(help));
}

std::string quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

template <class Item>
Status check_names_differ(const std::vector<Item>& items, std::string_view what, const Path& list) {
    if (items.size() < 2) return {};
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < items.size(); ++i)
        if (!names.insert(items[i].name).second)
            return refuse(Path{&list, {}, i}, "name",
                          "there are two " + std::string(what) + " named " + quoted(items[i].name),
                          "give each a name of its own");
    return {};
}

Status check_disks(const VmSpec& spec, const Path& at) {
    const Path list{&at, "disks"};
    RETURN_IF_ERROR(check_names_differ(spec.disks, "disks", list));
    std::set<std::string_view> volumes;
    for (std::size_t i = 0; i < spec.disks.size(); ++i) {
        const Disk& disk = spec.disks[i];
        const Path here{&list, {}, i};
        if (!disk.volume.empty() && !volumes.insert(disk.volume).second)
            return refuse(here, "volume",
                          "volume " + quoted(disk.volume) + " is used by two disks of this VM",
                          "remove one of them");
        if (!disk.volume.empty() && !disk.pool.empty())
            return refuse(here, "pool", "a disk on an existing volume lies in that volume's pool",
                          "leave pool out");
        const bool from_image = i == 0 && !spec.image.empty();
        if (disk.size_mib == 0 && disk.volume.empty() && !from_image)
            return refuse(here, "size_mib", "disk " + quoted(disk.name) + " has no size",
                          "give size_mib, or name an existing volume");
    }
    if (!spec.image.empty()) return {};
    if (spec.disks.empty() || spec.disks.front().volume.empty())
        return refuse(at, "image", "is missing: there is nothing to boot from",
                      "name an image (see: blixard image list), or a volume as the first disk");
    return {};
}

struct HostPort {
    std::string_view address;
    std::int64_t port;
    Protocol protocol;
    auto operator<=>(const HostPort&) const = default;
};

Status check_nics(const VmSpec& spec, const Path& at) {
    const Path list{&at, "nics"};
    RETURN_IF_ERROR(check_names_differ(spec.nics, "network interfaces", list));
    std::set<HostPort> used;
    std::set<std::string_view> macs;
    for (std::size_t i = 0; i < spec.nics.size(); ++i) {
        const Nic& nic = spec.nics[i];
        const Path here{&list, {}, i};
        if (!nic.mac.empty() && !macs.insert(nic.mac).second)
            return refuse(here, "mac",
                          "two network interfaces have the MAC address " + quoted(nic.mac));
        const bool user = nic.network.empty() || nic.network == "user";
        if (!user && !nic.forwards.empty())
            return refuse(
                here, "forwards",
                "port forwards need the user-mode network, found network " + quoted(nic.network),
                "leave network out, or remove the forwards");
        const Path forwards{&here, "forwards"};
        for (std::size_t j = 0; j < nic.forwards.size(); ++j) {
            const PortForward& forward = nic.forwards[j];
            if (forward.host_address.find(':') != std::string::npos)
                return refuse(Path{&forwards, {}, j}, "host_address",
                              "QEMU's user-mode network forwards no IPv6 address, found " +
                                  quoted(forward.host_address),
                              "write it as 127.0.0.1, or 0.0.0.0 for all addresses of the host");
            if (forward.host_port == 0) continue;
            const std::string_view address =
                forward.host_address.empty() ? std::string_view("127.0.0.1") : forward.host_address;
            if (!used.insert({address, forward.host_port, forward.protocol}).second)
                return refuse(
                    Path{&forwards, {}, j}, "host_port",
                    "host port " + std::to_string(forward.host_port) + " is forwarded twice",
                    "take another, or 0 for a free one");
        }
    }
    return {};
}

bool forwards_to(const VmSpec& spec, std::int64_t guest_port) {
    for (const Nic& nic : spec.nics)
        for (const PortForward& forward : nic.forwards)
            if (forward.guest_port == guest_port && forward.protocol == Protocol::kTcp) return true;
    return false;
}

Status check_health(const VmSpec& spec, const Path& at) {
    if (!spec.health) return {};
    const HealthCheck& check = *spec.health;
    const Path here{&at, "health"};
    if (check.timeout_s > check.interval_s)
        return refuse(here, "timeout_s",
                      "must be at most interval_s (" + std::to_string(check.interval_s) +
                          " s), found " + std::to_string(check.timeout_s) + " s");
    if (!check.path.empty() && check.path.front() != '/')
        return refuse(here, "path", "must begin with \"/\", found " + quoted(check.path));
    if (check.kind == HealthKind::kSerial && check.pattern.empty())
        return refuse(here, "pattern", "is missing",
                      "give the text that must appear on the console");
    const bool network = check.kind == HealthKind::kTcp || check.kind == HealthKind::kHttp;
    if (!network) return {};
    if (check.port == 0)
        return refuse(here, "port", "is missing", "give the guest's port, 1 to 65535");
    const bool user_network = std::all_of(spec.nics.begin(), spec.nics.end(), [](const Nic& nic) {
        return nic.network.empty() || nic.network == "user";
    });
    if (user_network && !forwards_to(spec, check.port))
        return refuse(
            here, "port", "guest port " + std::to_string(check.port) + " has no TCP forward",
            "add {\"guest_port\": " + std::to_string(check.port) + "} to the forwards of a nic");
    return {};
}

Status check_affinity(const VmSpec& spec, const Path& at) {
    const Path list{&at, "affinity"};
    for (std::size_t i = 0; i < spec.affinity.size(); ++i) {
        const AffinityRule& rule = spec.affinity[i];
        const Path here{&list, {}, i};
        if (rule.labels.empty() && rule.vm.empty())
            return refuse(here, "labels", "the rule is about no VM",
                          "give labels, or the name of a vm");
        if (!rule.labels.empty() && !rule.vm.empty())
            return refuse(here, "vm", "a rule is about labels or about one VM, not both",
                          "make two rules");
        if (!rule.anti && rule.max_per_node != 1)
            return refuse(here, "max_per_node", "belongs to rules with anti: true",
                          "set anti to true, or leave it out");
        for (std::size_t j = 0; j < i; ++j) {
            const AffinityRule& other = spec.affinity[j];
            if (rule.hard && other.hard && rule.anti != other.anti && rule.labels == other.labels &&
                rule.vm == other.vm && rule.domain == other.domain)
                return refuse(
                    here, "anti",
                    "contradicts rule " + std::to_string(j) + ": together and apart, both hard",
                    "make one of them soft, or remove it");
        }
    }
    return {};
}

Status check_devices(const Constraints& constraints, const Path& at) {
    const Path list{&at, "devices"};
    bool gpu = false;
    for (std::size_t i = 0; i < constraints.devices.size(); ++i) {
        const DeviceRequest& request = constraints.devices[i];
        const Path here{&list, {}, i};
        if (request.kind == "gpu" && std::exchange(gpu, true))
            return refuse(here, "kind", "is gpu for the second time",
                          "make one request: it has a count, and a list of models");
        if (request.kind != "gpu" && request.models.size() != 1)
            return refuse(here, "models",
                          "names " + std::to_string(request.models.size()) +
                              " models, and a PCI device is asked for by one",
                          "name it as VENDOR:DEVICE, 8086:1572 (see: blixard node show NODE)");
        if (request.kind != "gpu" && request.share_percent != 100)
            return refuse(here, "share_percent", "only a gpu can be shared", "leave it out");
        if (request.count > 1 && request.share_percent != 100)
            return refuse(here, "share_percent", "a part of a gpu is asked for with count 1",
                          "make one request per part");
    }
    return {};
}

Status check_constraints(const VmSpec& spec, const Path& at) {
    const Constraints& constraints = spec.constraints;
    const Path here{&at, "constraints"};
    const Path preferred{&here, "zones_preferred"};
    for (std::size_t i = 0; i < constraints.zones_preferred.size(); ++i) {
        const auto& excluded = constraints.zones_excluded;
        if (std::find(excluded.begin(), excluded.end(), constraints.zones_preferred[i]) !=
            excluded.end())
            return fail_field(
                Path{&preferred, {}, i}.text(),
                "zone " + quoted(constraints.zones_preferred[i]) + " is preferred and excluded",
                "remove it from one of the two lists");
    }
    if (constraints.zones_strict && constraints.zones_preferred.empty())
        return refuse(here, "zones_strict", "needs zones_preferred", "name at least one zone");
    if (spec.strategy == "manual" && constraints.node.empty())
        return refuse(here, "node", "is missing: strategy manual places a VM where it is told",
                      "name a node (see: blixard node list)");
    return check_devices(constraints, here);
}

Status check_image_files(const ImageCreate& request, const Path& at) {
    const Path list{&at, "files"};
    bool seen[3] = {};
    for (std::size_t i = 0; i < request.files.size(); ++i) {
        bool& before = seen[static_cast<std::size_t>(request.files[i].role)];
        if (before)
            return refuse(
                Path{&list, {}, i}, "role",
                "there are two files with role " + quoted(enum_name(request.files[i].role)));
        before = true;
    }
    const auto has = [&](FileRole role) { return seen[static_cast<std::size_t>(role)]; };
    if (has(FileRole::kInitrd) && !has(FileRole::kKernel))
        return refuse(at, "files", "an initrd needs a kernel", "add the kernel that it belongs to");
    if (!request.command_line.empty() && !has(FileRole::kKernel))
        return refuse(at, "command_line", "needs a kernel to be given to",
                      "add a kernel, or leave it out");
    return {};
}

template <class T>
Status check_table(const T& value, const Path& at) {
    return check_limits(type_of<T>(), &value, at);
}

}  // namespace

Status validate_name(std::string_view name, std::string_view field) {
    const Path path{nullptr, field};
    if (name.empty()) return fail_field(path.text(), "is missing", "give it a name");
    if (name.size() > kNameLengthMax)
        return fail_field(path.text(),
                          "a name of " + std::to_string(name.size()) + " bytes; at most " +
                              std::to_string(kNameLengthMax) + " are allowed",
                          "take a shorter one");
    return json::check_rule(json::Rule::kName, name, path);
}

bool is_strategy(std::string_view name) {
    return std::find(kStrategies.begin(), kStrategies.end(), name) != kStrategies.end();
}

Status validate(const VmSpec& spec, std::string_view at) {
    const Path path{nullptr, at};
    RETURN_IF_ERROR(check_table(spec, path));
    RETURN_IF_ERROR(check_disks(spec, path));
    RETURN_IF_ERROR(check_nics(spec, path));
    RETURN_IF_ERROR(check_health(spec, path));
    RETURN_IF_ERROR(check_affinity(spec, path));
    return check_constraints(spec, path);
}

Status validate(const NodeSettings& settings, std::string_view at) {
    return check_table(settings, Path{nullptr, at});
}

Status validate(const Quota& quota, std::string_view at) {
    return check_table(quota, Path{nullptr, at});
}

Status validate(const VmCreate& request) {
    RETURN_IF_ERROR(validate_name(request.name, "name"));
    if (!request.project.empty()) RETURN_IF_ERROR(validate_name(request.project, "project"));
    return validate(request.spec, "spec");
}

Status validate(const VmChange& request) { return validate(request.spec, "spec"); }

Status validate(const NodeChange& request) { return validate(request.spec, "spec"); }

Status validate(const ImageCreate& request) {
    RETURN_IF_ERROR(validate_name(request.name, "name"));
    RETURN_IF_ERROR(check_table(request, Path{}));
    return check_image_files(request, Path{});
}

Status validate(const VolumeCreate& request) {
    RETURN_IF_ERROR(validate_name(request.name, "name"));
    RETURN_IF_ERROR(check_table(request, Path{}));
    if (request.size_mib == 0 && request.image.empty())
        return fail_field("size_mib", "is missing: a blank volume needs a size",
                          "give size_mib, or an image");
    return {};
}

Status validate(const VolumeChange& request) { return check_table(request, Path{}); }

Status validate(const ProjectCreate& request) {
    RETURN_IF_ERROR(validate_name(request.name, "name"));
    return check_table(request, Path{});
}

Status validate(const ProjectChange& request) { return check_table(request, Path{}); }

}  // namespace blixard::model
