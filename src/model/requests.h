// What people send: the bodies of the API's requests. Parsed strictly, so a path in an error is the
// path in the body.
//
// A PATCH is a merge patch (merge_patch.h) of the present document's *Change, parsed as that type
// afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/node.h"
#include "model/records.h"
#include "model/schema.h"
#include "model/vm.h"

namespace blixard::model {

inline constexpr std::string_view kDefaultProject = "default";

// POST /v1/vms
struct VmCreate {
    std::string name;
    std::string project;  // empty: the request's ?project=, else "default"
    VmSpec spec;
    json::Extras extras;

    bool operator==(const VmCreate&) const = default;
};

// PUT and PATCH /v1/vms/NAME
struct VmChange {
    VmSpec spec;
    json::Extras extras;

    bool operator==(const VmChange&) const = default;
};

// The part of NodeSpec that operators set.
struct NodeSettings {
    std::map<std::string, std::string> labels;
    std::string zone;
    double cost_per_hour = 0;
    Overcommit overcommit = Overcommit::kShared;
    bool schedulable = true;
    json::Extras extras;

    bool operator==(const NodeSettings&) const = default;
};

// PATCH /v1/nodes/NAME
struct NodeChange {
    NodeSettings spec;
    json::Extras extras;

    bool operator==(const NodeChange&) const = default;
};

// One uploaded file (POST /v1/blobs) and what it is for.
struct ImageFileRef {
    FileRole role = FileRole::kDisk;
    std::string sha256;
    json::Extras extras;

    bool operator==(const ImageFileRef&) const = default;
};

// POST /v1/images
struct ImageCreate {
    std::string name;
    std::string description;
    std::string command_line;
    std::map<std::string, std::string> labels;
    std::vector<ImageFileRef> files;
    json::Extras extras;

    bool operator==(const ImageCreate&) const = default;
};

// POST /v1/volumes
struct VolumeCreate {
    std::string name;
    std::string project;
    std::int64_t size_mib = 0;  // 0: the size of its image
    DiskFormat format = DiskFormat::kQcow2;
    std::string image;
    std::string pool;
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const VolumeCreate&) const = default;
};

// PATCH /v1/volumes/NAME
struct VolumeChange {
    std::int64_t size_mib = 0;
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const VolumeChange&) const = default;
};

// POST /v1/projects
struct ProjectCreate {
    std::string name;
    std::string description;
    std::string strategy;
    Quota quota;
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const ProjectCreate&) const = default;
};

// PATCH /v1/projects/NAME
struct ProjectChange {
    std::string description;
    std::string strategy;
    Quota quota;
    std::map<std::string, std::string> labels;
    json::Extras extras;

    bool operator==(const ProjectChange&) const = default;
};

// Strict; see documents.h for the bounds. `present` is the same document as it stands, as text:
// what a newer version wrote into it and this one does not know is not refused where it stays as it
// is, so that a host of an older version can change what a newer one has made.
Result<VmCreate> parse_vm_create(std::string_view text);
Result<VmChange> parse_vm_change(std::string_view text, std::string_view present = {});
Result<NodeChange> parse_node_change(std::string_view text, std::string_view present = {});
Result<ImageCreate> parse_image_create(std::string_view text);
Result<VolumeCreate> parse_volume_create(std::string_view text);
Result<VolumeChange> parse_volume_change(std::string_view text, std::string_view present = {});
Result<ProjectCreate> parse_project_create(std::string_view text);
Result<ProjectChange> parse_project_change(std::string_view text, std::string_view present = {});

void write(const VmCreate& value, std::string& out);
void write(const VmChange& value, std::string& out);
void write(const NodeChange& value, std::string& out);
void write(const ImageCreate& value, std::string& out);
void write(const VolumeCreate& value, std::string& out);
void write(const VolumeChange& value, std::string& out);
void write(const ProjectCreate& value, std::string& out);
void write(const ProjectChange& value, std::string& out);

}  // namespace blixard::model
