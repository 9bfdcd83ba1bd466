// Is this a document that we want? Limits of each member (from the type's table) and rules between
// members. Pure.
//
// Every refusal is ErrorCode::kInvalid with the path of what is wrong, what was found, and what
// would help. `at` is put in front of the paths: validate(spec, "spec") complains about
// "spec.cpus".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "model/node.h"
#include "model/records.h"
#include "model/requests.h"
#include "model/vm.h"

namespace blixard::model {

inline constexpr std::size_t kNameLengthMax = 63;
inline constexpr std::int64_t kCpusMax = 512;
inline constexpr std::int64_t kMemoryMibMin = 16;
inline constexpr std::int64_t kMemoryMibMax = 4 * 1024 * 1024;  // 4 TiB
inline constexpr std::int64_t kDiskMibMax = 64 * 1024 * 1024;   // 64 TiB
inline constexpr std::int64_t kPriorityMax = 1000;
inline constexpr std::size_t kLabelsMax = 64;
inline constexpr std::size_t kCloudInitBytesMax = 64 * 1024;

// A name of a VM, node, image, volume or project: [a-z0-9-], at most 63, first and last a letter or
// digit.
Status validate_name(std::string_view name, std::string_view field);

// "most-available", ...; empty is not a strategy.
bool is_strategy(std::string_view name);

Status validate(const VmSpec& spec, std::string_view at = "spec");
Status validate(const NodeSettings& settings, std::string_view at = "spec");
Status validate(const Quota& quota, std::string_view at = "quota");

// Whole request bodies, paths as in the body.
Status validate(const VmCreate& request);
Status validate(const VmChange& request);
Status validate(const NodeChange& request);
Status validate(const ImageCreate& request);
Status validate(const VolumeCreate& request);
Status validate(const VolumeChange& request);
Status validate(const ProjectCreate& request);
Status validate(const ProjectChange& request);

// Legal changes: what is fixed when a VM is made (image, firmware, root disk, ...) stays, and disks
// never shrink. `now` must be valid by itself.
Status validate_change(const VmSpec& before, const VmSpec& now, std::string_view at = "spec");
Status validate_change(const VolumeRecord& before, const VolumeChange& now);

}  // namespace blixard::model
