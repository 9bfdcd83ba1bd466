// The header of a qcow2 disk, judged before QEMU ever opens it: an image is a stranger's file, and
// its header may name other files of this host. Pure. (QEMU, docs/interop/qcow2.txt)
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace blixard::images {

struct Qcow2Header {
    int version = 0;  // 2 or 3
    std::uint64_t virtual_bytes = 0;
    std::uint64_t cluster_bytes = 0;
    std::uint32_t snapshots = 0;
};

// No disk of ours is larger, and QEMU would spend gigabytes on the tables of one that claims to be.
constexpr std::uint64_t kDiskBytesMax = std::uint64_t{16} << 40;

// `head`: the first 64 KiB of the file or all of a smaller one. Refused with what is wrong and the
// mend: other versions; a backing or external data file; encryption; marked corrupt or unclean;
// unknown features; sizes and offsets that lead beyond the file or beyond sense.
Result<Qcow2Header> parse_qcow2_header(std::string_view head, std::uint64_t file_bytes);

}  // namespace blixard::images
