// The tables of requests.h.
#include "model/requests.h"
#include "model/types.h"
#include "model/validate.h"

#define FIELD(member, ...) field<&Self::member>(#member, __VA_ARGS__)

namespace blixard::model {
namespace json {
namespace {

constexpr Limits kName = {.length_max = kNameLengthMax, .rule = Rule::kName};
constexpr Limits kNewName = {.length_max = kNameLengthMax, .rule = Rule::kName, .required = true};
constexpr Limits kLabels = {.length_max = 63, .items_max = kLabelsMax, .rule = Rule::kLine};
constexpr Limits kDescription = {.length_max = 1024};
constexpr Limits kSize = {.min = 0, .max = kDiskMibMax, .unit = "MiB"};
constexpr Limits kStrategy = {.words = kStrategies};

}  // namespace

template <>
const Type& type_of<VmCreate>() {
    using Self = VmCreate;
    static constexpr Field fields[] = {
        FIELD(name, "Name of the VM, unique in its project.", kNewName),
        FIELD(project, "Project; empty: the one of the query, else \"default\".", kName),
        FIELD(spec, "What is wanted."),
    };
    static constexpr Type type = make_type<Self>("VmCreate", "A new VM.", fields);
    return type;
}

template <>
const Type& type_of<VmChange>() {
    using Self = VmChange;
    static constexpr Field fields[] = {FIELD(spec, "What is wanted from now on.")};
    static constexpr Type type = make_type<Self>("VmChange", "A VM's whole spec.", fields);
    return type;
}

template <>
const Type& type_of<NodeSettings>() {
    using Self = NodeSettings;
    static constexpr Field fields[] = {
        FIELD(labels, "Labels for constraints and failure domains.", kLabels),
        FIELD(zone, "Zone that the host stands in.", {.length_max = 63, .rule = Rule::kToken}),
        FIELD(cost_per_hour, "Price, in any one currency.", {.min = 0, .max = 1000000}),
        FIELD(overcommit, "How much more than it has may be promised."),
        FIELD(schedulable, "false: cordoned, takes no new VMs."),
    };
    static constexpr Type type =
        make_type<Self>("NodeSettings", "What operators set of a host.", fields);
    return type;
}

template <>
const Type& type_of<NodeChange>() {
    using Self = NodeChange;
    static constexpr Field fields[] = {FIELD(spec, "What operators set.")};
    static constexpr Type type =
        make_type<Self>("NodeChange", "A change of a host's settings.", fields);
    return type;
}

template <>
const Type& type_of<ImageFileRef>() {
    using Self = ImageFileRef;
    static constexpr Field fields[] = {
        FIELD(role, "What it is for."),
        FIELD(sha256, "Of the uploaded file.", {.rule = Rule::kSha256, .required = true}),
    };
    static constexpr Type type =
        make_type<Self>("ImageFileRef", "An uploaded file of a new image.", fields);
    return type;
}

template <>
const Type& type_of<ImageCreate>() {
    using Self = ImageCreate;
    static constexpr Field fields[] = {
        FIELD(name, "Name of the image.", kNewName),
        FIELD(description, "For people.", kDescription),
        FIELD(command_line, "For its kernel.", {.length_max = 2048, .rule = Rule::kLine}),
        FIELD(labels, "Labels for selecting.", kLabels),
        FIELD(files, "One disk, or a kernel with an optional initrd and disk.",
              {.items_max = 3, .required = true}),
    };
    static constexpr Type type =
        make_type<Self>("ImageCreate", "A new image, of uploaded files.", fields);
    return type;
}

template <>
const Type& type_of<VolumeCreate>() {
    using Self = VolumeCreate;
    static constexpr Field fields[] = {
        FIELD(name, "Name of the volume, unique in its project.", kNewName),
        FIELD(project, "Project; empty: the one of the query, else \"default\".", kName),
        FIELD(size_mib, "Size; 0: that of its image.", kSize),
        FIELD(format, "Format of the file."),
        FIELD(image, "Made as an overlay on this image; empty: blank.", kName),
        FIELD(pool, "Storage pool; empty: local to one host.", kName),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type = make_type<Self>("VolumeCreate", "A new volume.", fields);
    return type;
}

template <>
const Type& type_of<VolumeChange>() {
    using Self = VolumeChange;
    static constexpr Field fields[] = {
        FIELD(size_mib, "Size; may only grow.", kSize),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type =
        make_type<Self>("VolumeChange", "What may change of a volume.", fields);
    return type;
}

template <>
const Type& type_of<ProjectCreate>() {
    using Self = ProjectCreate;
    static constexpr Field fields[] = {
        FIELD(name, "Name of the project.", kNewName),
        FIELD(description, "For people.", kDescription),
        FIELD(strategy, "Default placement strategy of its VMs.", kStrategy),
        FIELD(quota, "What it may use in all."),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type = make_type<Self>("ProjectCreate", "A new project.", fields);
    return type;
}

template <>
const Type& type_of<ProjectChange>() {
    using Self = ProjectChange;
    static constexpr Field fields[] = {
        FIELD(description, "For people.", kDescription),
        FIELD(strategy, "Default placement strategy of its VMs.", kStrategy),
        FIELD(quota, "What it may use in all."),
        FIELD(labels, "Labels for selecting.", kLabels),
    };
    static constexpr Type type =
        make_type<Self>("ProjectChange", "What may change of a project.", fields);
    return type;
}

}  // namespace json

Result<VmCreate> parse_vm_create(std::string_view text) {
    return parse_as<VmCreate>(text, Mode::kStrict);
}
Result<VmChange> parse_vm_change(std::string_view text, std::string_view present) {
    return parse_as<VmChange>(text, Mode::kStrict, present);
}
Result<NodeChange> parse_node_change(std::string_view text, std::string_view present) {
    return parse_as<NodeChange>(text, Mode::kStrict, present);
}
Result<ImageCreate> parse_image_create(std::string_view text) {
    return parse_as<ImageCreate>(text, Mode::kStrict);
}
Result<VolumeCreate> parse_volume_create(std::string_view text) {
    return parse_as<VolumeCreate>(text, Mode::kStrict);
}
Result<VolumeChange> parse_volume_change(std::string_view text, std::string_view present) {
    return parse_as<VolumeChange>(text, Mode::kStrict, present);
}
Result<ProjectCreate> parse_project_create(std::string_view text) {
    return parse_as<ProjectCreate>(text, Mode::kStrict);
}
Result<ProjectChange> parse_project_change(std::string_view text, std::string_view present) {
    return parse_as<ProjectChange>(text, Mode::kStrict, present);
}

void write(const VmCreate& value, std::string& out) { write_as(value, out); }
void write(const VmChange& value, std::string& out) { write_as(value, out); }
void write(const NodeChange& value, std::string& out) { write_as(value, out); }
void write(const ImageCreate& value, std::string& out) { write_as(value, out); }
void write(const VolumeCreate& value, std::string& out) { write_as(value, out); }
void write(const VolumeChange& value, std::string& out) { write_as(value, out); }
void write(const ProjectCreate& value, std::string& out) { write_as(value, out); }
void write(const ProjectChange& value, std::string& out) { write_as(value, out); }

}  // namespace blixard::model
