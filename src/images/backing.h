// Which files the disks of a directory lie on: a qcow2 overlay names the file that holds what it
// does not. (QEMU, docs/interop/qcow2.txt)
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::images {

// Where a qcow2 file says what it lies on.
struct BackingName {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
};
constexpr std::size_t kBackingHeadBytes = 20;

// `head`: the first bytes of a file. Absent: it is no qcow2, or lies on nothing. Pure.
std::optional<BackingName> backing_name_place(std::string_view head);

// The sha256 of every image file that a disk under `directory` lies on, as its header says it; at
// most kBackingDepth directories deep, links not followed. An error where one cannot be looked at:
// then nothing is known. Blocking; any thread.
//
// Opens every regular file there, and closes it: no file on which this process holds an fcntl()
// lock (SQLite's) may lie under `directory`, for closing would drop it.
Result<std::set<std::string>> images_under_disks(const std::string& directory);
constexpr int kBackingDepth = 4;

}  // namespace blixard::images
