// Is this file what it is said to be? Looked at before an image is made of it, so that the refusal
// comes to the person who uploads it and not, days later, from a QEMU that does not start. Reads
// the head of the file only; blocking; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace blixard::images {

enum class DiskFormat : std::uint8_t { kQcow2, kRaw };

struct DiskInfo {
    DiskFormat format = DiskFormat::kRaw;
    std::uint64_t virtual_bytes = 0;  // what a guest sees
    std::uint64_t file_bytes = 0;
};

// qcow2 (see qcow2_header.h) or raw: whole sectors that begin with a boot sector, a file system, or
// zeros. Anything else is refused (kInvalid), saying what was found and how to make a disk of it.
Result<DiskInfo> inspect_disk_image(const std::string& path);

// A bzImage, or an ELF kernel (PVH).
Status inspect_kernel(const std::string& path);

// A cpio archive, plain or compressed in a way that Linux unpacks.
Status inspect_initrd(const std::string& path);

}  // namespace blixard::images
