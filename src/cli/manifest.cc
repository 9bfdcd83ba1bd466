#include <fmt/format.h>

#include "cli/apply.h"
#include "cli/command.h"
#include "model/validate.h"

namespace blixard::cli {
namespace {

// The daemon writes these into every document; a file need not. From the member initialisers in
// model/vm.h, model/node.h and model/records.h.
const std::vector<std::pair<std::string_view, Value>>& defaults() {
    static const std::vector<std::pair<std::string_view, Value>> kDefaults{
        {"spec.cpus", 1},
        {"spec.memory_mib", 256},
        {"spec.machine", "auto"},
        {"spec.firmware", "bios"},
        {"spec.ha", "none"},
        {"spec.priority", 100},
        {"spec.restart", "on-failure"},
        {"spec.stop_timeout_s", 30},
        {"spec.run", "running"},
        {"spec.disks.format", "qcow2"},
        {"spec.nics.forwards.protocol", "tcp"},
        {"spec.health.kind", "process"},
        {"spec.health.interval_s", 10},
        {"spec.health.timeout_s", 5},
        {"spec.health.failures", 3},
        {"spec.health.start_period_s", 60},
        {"spec.affinity.hard", true},
        {"spec.affinity.max_per_node", 1},
        {"spec.affinity.weight", 10},
        {"spec.constraints.devices.count", 1},
        {"spec.constraints.devices.share_percent", 100},
        {"spec.overcommit", "shared"},
        {"spec.schedulable", true},
        {"format", "qcow2"},
    };
    return kDefaults;
}

const std::vector<std::string_view>& settable_members(std::string_view kind) {
    static const std::vector<std::string_view> kSpec{"spec"};
    static const std::vector<std::string_view> kImage{"description", "command_line", "labels",
                                                      "files"};
    static const std::vector<std::string_view> kVolume{"size_mib", "format", "image", "pool",
                                                       "labels"};
    static const std::vector<std::string_view> kProject{"description", "strategy", "quota",
                                                        "labels"};
    if (kind == "image") return kImage;
    if (kind == "volume") return kVolume;
    if (kind == "project") return kProject;
    return kSpec;
}

// What the daemon adds to a document that people apply again.
bool is_of_the_daemon(std::string_view member) {
    for (std::string_view name :
         {"kind", "project", "name", "revision", "schema", "uid", "created_at", "deleted_at",
          "force", "epoch", "generation", "restart_generation", "placement", "status", "phase",
          "vm", "ready", "lease", "allocated"})
        if (member == name) return true;
    return false;
}

bool is_zero(const Value& value) {
    if (value.is_null()) return true;
    if (value.as_bool()) return !*value.as_bool();
    if (value.as_int()) return *value.as_int() == 0;
    if (value.as_double()) return *value.as_double() == 0;
    if (value.as_string()) return value.as_string()->empty();
    if (value.as_array()) return value.as_array()->empty();
    return value.as_object()->empty();
}

// A member with a default is left out where it has it, and only there: priority 0 is not the
// default.
bool is_default(const std::string& path, const Value& value) {
    for (const auto& [name, usual] : defaults())
        if (name == path) return value == usual || value.is_null();
    return is_zero(value);
}

bool holds_free_names(const std::string& path) {
    return path.ends_with("labels") || path.ends_with("node_labels");
}

Value without_defaults(const Value& value, const std::string& path) {
    if (const Value::Array* items = value.as_array()) {
        Value::Array out;
        for (const Value& item : *items) out.push_back(without_defaults(item, path));
        return out;
    }
    if (!value.as_object()) {
        // 512.0 and 512 are one number to the daemon.
        if (const double* real = value.as_double();
            real && *real == static_cast<double>(static_cast<std::int64_t>(*real)))
            return static_cast<std::int64_t>(*real);
        return value;
    }
    Value::Object out;
    for (const Member& member : *value.as_object()) {
        std::string inner = path.empty() ? member.name : path + "." + member.name;
        Value kept = without_defaults(member.value, inner);
        if (holds_free_names(path) || !is_default(inner, kept))
            out.push_back({member.name, std::move(kept)});
    }
    std::sort(out.begin(), out.end(),
              [](const Member& a, const Member& b) { return a.name < b.name; });
    return out;
}

Result<Manifest> read_manifest(const Value& document, const std::string& where,
                               const std::string& project) {
    auto refused = [&](std::string field, std::string why, std::string help = {}) {
        return fail(Error{ErrorCode::kInvalid, fmt::format("{}: {}", where, why), std::move(field),
                          std::move(help)});
    };
    if (!document.as_object())
        return refused("", "a document must have members such as kind and name");
    static const std::vector<std::string> kKinds{"vm", "volume", "image", "project", "node"};
    Manifest manifest;
    manifest.where = where;
    manifest.kind = document.text("kind");
    if (manifest.kind.empty())
        return refused("kind", "the kind is missing", "kind: vm, volume, image, project or node");
    if (std::find(kKinds.begin(), kKinds.end(), manifest.kind) == kKinds.end()) {
        std::string near = nearest(manifest.kind, kKinds);
        return refused("kind",
                       fmt::format("\"{}\" cannot be applied{}", manifest.kind,
                                   near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
                       "kind: vm, volume, image, project or node");
    }
    manifest.name = document.text("name");
    if (manifest.name.empty())
        return refused("name",
                       fmt::format("the {} has no name, or one that is not text", manifest.kind));
    // Before it stands in a path of the API, whose refusal would speak of that.
    if (const Status valid = model::validate_name(manifest.name, "name"); !valid)
        return refused("name", valid.error().message, valid.error().help);
    manifest.project = document.find("project") ? document.text("project") : project;
    const auto& settable = settable_members(manifest.kind);
    manifest.wanted = Value::object();
    for (const Member& member : *document.as_object()) {
        if (std::find(settable.begin(), settable.end(), member.name) != settable.end())
            manifest.wanted.set(member.name, member.value);
        else if (!is_of_the_daemon(member.name))
            return refused(member.name,
                           fmt::format("a {} has no member \"{}\"", manifest.kind, member.name),
                           fmt::format("it has: {}", fmt::join(settable, ", ")));
    }
    bool has_spec = manifest.kind == "vm" || manifest.kind == "node";
    if (has_spec && !(manifest.wanted.find("spec") && manifest.wanted.find("spec")->as_object()))
        return refused("spec",
                       fmt::format("the {} \"{}\" has no spec", manifest.kind, manifest.name));
    if (manifest.kind == "node") manifest.wanted = settable_part("node", manifest.wanted);
    return manifest;
}

}  // namespace

Value settable_part(const std::string& kind, const Value& document) {
    Value part = Value::object();
    for (std::string_view member : settable_members(kind))
        if (const Value* value = document.find(member)) part.set(member, *value);
    if (kind == "node") {
        Value spec = Value::object();
        for (std::string_view member :
             {"labels", "zone", "cost_per_hour", "overcommit", "schedulable"})
            if (const Value* value = part.at("spec") ? part.find("spec")->find(member) : nullptr)
                spec.set(member, *value);
        part.set("spec", std::move(spec));
    }
    return part;
}

Value normalised(const std::string& kind, const Value& wanted) {
    Value value = without_defaults(settable_part(kind, wanted), "");
    if (Value::Array* files = value.find("files") ? value.find("files")->as_array() : nullptr)
        for (Value& file : *files)  // the daemon adds what it measured
            for (std::string_view member : {"size_bytes", "format", "virtual_size_mib"})
                file.erase(member);
    return value;
}

std::string at_next_start(const Value& before, const Value& after) {
    const std::string phase = after.text("phase");
    if (phase != "running" && phase != "paused" && phase != "starting") return {};
    const Value was = normalised("vm", before), is = normalised("vm", after);
    const auto part = [](const Value& vm, std::string_view member) {
        const Value* value = vm.at("spec." + std::string(member));
        return value ? *value : Value{};
    };
    std::string members;
    for (std::string_view member :
         {"image", "cpus", "memory_mib", "machine", "firmware", "command_line", "disks", "nics",
          "cloud_init", "constraints.devices"})
        if (part(was, member) != part(is, member))
            members += fmt::format("{}{}", members.empty() ? "" : ", ", member);
    return members;
}

Result<std::vector<Manifest>> read_manifests(const std::vector<Value>& documents,
                                             const std::string& file, const std::string& project) {
    std::vector<Manifest> manifests;
    int number = 0;
    for (const Value& document : documents) {
        ++number;
        std::string where =
            documents.size() == 1 ? file : fmt::format("{}, document {}", file, number);
        const Value* items = document.find("kind") ? nullptr : document.find("items");
        if (items && items->as_array()) {
            for (std::size_t i = 0; i < items->as_array()->size(); ++i) {
                ASSIGN_OR_RETURN(Manifest manifest,
                                 read_manifest((*items->as_array())[i],
                                               fmt::format("{}, item {}", where, i + 1), project));
                manifests.push_back(std::move(manifest));
            }
            continue;
        }
        ASSIGN_OR_RETURN(Manifest manifest, read_manifest(document, where, project));
        manifests.push_back(std::move(manifest));
    }
    return manifests;
}

}  // namespace blixard::cli
