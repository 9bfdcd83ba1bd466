#include "images/inspect.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "images/file_kind.h"
#include "images/qcow2_header.h"
#include "os/system_error.h"
#include "os/unique_fd.h"

namespace blixard::images {
namespace {

constexpr std::uint64_t kSectorBytes = 512;

struct Head {
    std::string bytes;
    std::uint64_t file_bytes = 0;
};

Result<Head> read_head(const std::string& path) {
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) return os::fail_errno("open " + path);
    struct stat facts{};
    if (::fstat(file.get(), &facts) != 0) return os::fail_errno("stat " + path);
    if (!S_ISREG(facts.st_mode))
        return fail(ErrorCode::kInvalid, path + " is no regular file", "give a file");
    Head head{std::string(kHeadBytes, '\0'), static_cast<std::uint64_t>(facts.st_size)};
    std::size_t done = 0;
    while (done < kHeadBytes) {
        const ssize_t count = ::pread(file.get(), head.bytes.data() + done, kHeadBytes - done,
                                      static_cast<off_t>(done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os::fail_errno("read " + path);
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    head.bytes.resize(done);
    return head;
}

std::string_view mend_for_disk(FileKind kind) {
    switch (kind) {
        case FileKind::kQcow1:
        case FileKind::kQed:
        case FileKind::kVmdk:
        case FileKind::kVdi:
        case FileKind::kVhd:
        case FileKind::kVhdx: return "convert it first: qemu-img convert -O qcow2 OLD NEW";
        case FileKind::kGzip: return "unpack it first: gunzip FILE.gz";
        case FileKind::kXz: return "unpack it first: unxz FILE.xz";
        case FileKind::kBzip2: return "unpack it first: bunzip2 FILE.bz2";
        case FileKind::kZstd: return "unpack it first: unzstd FILE.zst";
        case FileKind::kZip:
        case FileKind::kTar: return "unpack it and import the disk inside";
        case FileKind::kIso:
            return "install from it into a disk with QEMU, or take the cloud image (qcow2) of that "
                   "system";
        case FileKind::kLinuxKernel:
        case FileKind::kElf:  // as an uncompressed kernel is
            return "import it as a kernel: blixard image import --kernel FILE --initrd FILE";
        default: return "a disk is a qcow2 file, or a raw one with a boot sector or a file system";
    }
}

auto refuse(const std::string& wanted, FileKind found, std::string_view mend) {
    return fail(ErrorCode::kInvalid,
                fmt::format("the file is no {}: it is {}", wanted, describe(found)),
                std::string(mend));
}

}  // namespace

Result<DiskInfo> inspect_disk_image(const std::string& path) {
    ASSIGN_OR_RETURN(const Head head, read_head(path));
    const FileKind kind = file_kind(head.bytes);
    if (kind == FileKind::kQcow2) {
        ASSIGN_OR_RETURN(const Qcow2Header header, parse_qcow2_header(head.bytes, head.file_bytes));
        return DiskInfo{DiskFormat::kQcow2, header.virtual_bytes, head.file_bytes};
    }
    if (kind != FileKind::kBootSector && kind != FileKind::kFileSystem && kind != FileKind::kBlank)
        return refuse("disk", kind, mend_for_disk(kind));
    if (head.file_bytes % kSectorBytes != 0)
        return fail(ErrorCode::kInvalid,
                    fmt::format("the raw disk has {} bytes, which are no whole sectors of 512",
                                head.file_bytes),
                    "the file was cut short; get it anew");
    if (head.file_bytes > kDiskBytesMax)
        return fail(ErrorCode::kInvalid, "the raw disk is larger than 16 TiB");
    return DiskInfo{DiskFormat::kRaw, head.file_bytes, head.file_bytes};
}

Status inspect_kernel(const std::string& path) {
    ASSIGN_OR_RETURN(const Head head, read_head(path));
    const FileKind kind = file_kind(head.bytes);
    if (kind == FileKind::kLinuxKernel || kind == FileKind::kElf) return {};
    return refuse("Linux kernel", kind,
                  kind == FileKind::kGzip ? "unpack it first: gunzip FILE.gz"
                                          : "take the vmlinuz file of a system, as in its /boot");
}

Status inspect_initrd(const std::string& path) {
    ASSIGN_OR_RETURN(const Head head, read_head(path));
    switch (const FileKind kind = file_kind(head.bytes)) {
        case FileKind::kCpio:
        case FileKind::kGzip:
        case FileKind::kBzip2:
        case FileKind::kXz:
        case FileKind::kZstd:
        case FileKind::kLz4:
        case FileKind::kLzma: return {};
        default:
            return refuse(
                "initramfs", kind,
                "take the initrd.img file of a system, as in its /boot, or a cpio archive (newc)");
    }
}

}  // namespace blixard::images
