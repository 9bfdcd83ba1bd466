// Disk files that no record of a volume names: what a store that was restored from an older backup
// has forgotten, what `cluster leave` has left here. Nobody deletes them but people.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace blixard::images {

struct StrayDisk {
    std::string path;
    std::uint64_t size_bytes = 0;  // that it takes of the file system
    WallTime modified{};
};
using StrayDisks = std::multimap<std::string, StrayDisk, std::less<>>;  // by the volume's uid

// The files of a directory of disks: those with a volume's uid (32 hex digits) before their first
// dot, half-made ones and epoch files too. Others are none of ours. No directory: none. Blocking;
// any thread.
Result<StrayDisks> disks_in(const std::string& directory);

// Takes away those whose uid stands anywhere in the text: a record of whatever version. Pure.
void drop_named(StrayDisks& disks, std::string_view record);

}  // namespace blixard::images
