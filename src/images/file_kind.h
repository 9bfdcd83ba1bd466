// What a file is by its first bytes, whatever its name says. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace blixard::images {

enum class FileKind : std::uint8_t {
    kEmpty,
    kUnknown,
    kQcow2,
    kQcow1,
    kQed,
    kVmdk,
    kVdi,
    kVhd,
    kVhdx,
    kLuks,  // disks
    kIso,
    kBootSector,
    kFileSystem,
    kBlank,  // raw bytes of a disk; kBlank: zeros
    kLinuxKernel,
    kElf,
    kCpio,
    kGzip,
    kBzip2,
    kXz,
    kZstd,
    kLz4,
    kLzma,
    kZip,
    kTar,
    kPng,
    kJpeg,
    kGif,
    kPdf,
    kText,
};

// Enough of a file for file_kind(): the volume descriptor of an ISO stands at 32 KiB, the
// superblock of btrfs at 64 KiB.
constexpr std::size_t kHeadBytes = 68 * 1024;

// `head`: the first kHeadBytes of a file, or all of a smaller one.
FileKind file_kind(std::string_view head);

// "a PNG picture", "a VMware disk (VMDK)": as it stands in a sentence.
std::string_view describe(FileKind kind);

}  // namespace blixard::images
