#include "images/file_kind.h"

#include <algorithm>

namespace blixard::images {
namespace {

using namespace std::string_view_literals;

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    FileKind kind;
};

// The order matters where one file carries two marks: an ISO for USB sticks has a boot sector too,
// and so has a kernel.
constexpr Magic kMagics[] = {
    {0, "QFI\xfb\0\0\0\1"sv, FileKind::kQcow1},
    {0, "QFI\xfb"sv, FileKind::kQcow2},
    {0, "QED\0"sv, FileKind::kQed},
    {0, "KDMV"sv, FileKind::kVmdk},
    {0, "COWD"sv, FileKind::kVmdk},
    {0, "# Disk DescriptorFile"sv, FileKind::kVmdk},
    {0x40, "\x7f\x10\xda\xbe"sv, FileKind::kVdi},
    {0, "conectix"sv, FileKind::kVhd},
    {0, "vhdxfile"sv, FileKind::kVhdx},
    {0, "LUKS\xba\xbe"sv, FileKind::kLuks},
    {0x202, "HdrS"sv, FileKind::kLinuxKernel},  // Linux, Documentation/arch/x86/boot.rst
    {0,
     "\x7f"
     "ELF"sv,
     FileKind::kElf},
    {0, "070701"sv, FileKind::kCpio},
    {0, "070702"sv, FileKind::kCpio},
    {0, "\x1f\x8b"sv, FileKind::kGzip},
    {0, "BZh"sv, FileKind::kBzip2},
    {0,
     "\xfd"
     "7zXZ\0"sv,
     FileKind::kXz},
    {0, "\x28\xb5\x2f\xfd"sv, FileKind::kZstd},
    {0, "\x02\x21\x4c\x18"sv, FileKind::kLz4},  // the legacy frame, which the kernel reads
    {0, "\x04\x22\x4d\x18"sv, FileKind::kLz4},
    {0, "\x5d\0\0"sv, FileKind::kLzma},
    {0, "PK\3\4"sv, FileKind::kZip},
    {0, "\x89PNG\r\n\x1a\n"sv, FileKind::kPng},
    {0, "\xff\xd8\xff"sv, FileKind::kJpeg},
    {0, "GIF8"sv, FileKind::kGif},
    {0, "%PDF-"sv, FileKind::kPdf},
    {0x8001, "CD001"sv, FileKind::kIso},
    {257, "ustar"sv, FileKind::kTar},
    {510, "\x55\xaa"sv, FileKind::kBootSector},   // MBR, and the protective one of a GPT
    {512, "LABELONE"sv, FileKind::kFileSystem},   // LVM
    {1080, "\x53\xef"sv, FileKind::kFileSystem},  // ext2, 3, 4
    {0, "XFSB"sv, FileKind::kFileSystem},
    {0x10040, "_BHRfS_M"sv, FileKind::kFileSystem},  // btrfs
};

bool is_text(std::string_view head) {
    head = head.substr(0, 512);
    return std::all_of(head.begin(), head.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 ? byte != 0x7F : byte == '\n' || byte == '\r' || byte == '\t';
    });
}

}  // namespace

FileKind file_kind(std::string_view head) {
    if (head.empty()) return FileKind::kEmpty;
    for (const Magic& magic : kMagics)
        if (head.size() >= magic.offset + magic.bytes.size() &&
            head.substr(magic.offset, magic.bytes.size()) == magic.bytes)
            return magic.kind;
    if (head.find_first_not_of('\0') == head.npos) return FileKind::kBlank;
    return is_text(head) ? FileKind::kText : FileKind::kUnknown;
}

std::string_view describe(FileKind kind) {
    switch (kind) {
        case FileKind::kEmpty: return "an empty file";
        case FileKind::kUnknown: return "nothing known";
        case FileKind::kQcow2: return "a qcow2 disk";
        case FileKind::kQcow1: return "a disk in the old qcow format";
        case FileKind::kQed: return "a QED disk";
        case FileKind::kVmdk: return "a VMware disk (VMDK)";
        case FileKind::kVdi: return "a VirtualBox disk (VDI)";
        case FileKind::kVhd: return "a Virtual PC disk (VHD)";
        case FileKind::kVhdx: return "a Hyper-V disk (VHDX)";
        case FileKind::kLuks: return "an encrypted disk (LUKS)";
        case FileKind::kIso: return "a CD image (ISO 9660)";
        case FileKind::kBootSector: return "a raw disk with a boot sector";
        case FileKind::kFileSystem: return "a raw file system";
        case FileKind::kBlank: return "nothing but zeros";
        case FileKind::kLinuxKernel: return "a Linux kernel";
        case FileKind::kElf: return "an ELF program";
        case FileKind::kCpio: return "a cpio archive (an initramfs)";
        case FileKind::kGzip: return "gzip-compressed data";
        case FileKind::kBzip2: return "bzip2-compressed data";
        case FileKind::kXz: return "xz-compressed data";
        case FileKind::kZstd: return "zstd-compressed data";
        case FileKind::kLz4: return "lz4-compressed data";
        case FileKind::kLzma: return "lzma-compressed data";
        case FileKind::kZip: return "a ZIP archive";
        case FileKind::kTar: return "a tar archive";
        case FileKind::kPng: return "a PNG picture";
        case FileKind::kJpeg: return "a JPEG picture";
        case FileKind::kGif: return "a GIF picture";
        case FileKind::kPdf: return "a PDF document";
        case FileKind::kText: return "text";
    }
    return "nothing known";
}

}  // namespace blixard::images
