#include "hypervisor/qemu/disks.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "hypervisor/qemu/arguments.h"
#include "hypervisor/qemu/ceph_disk.h"
#include "hypervisor/qemu/claim.h"
#include "hypervisor/qemu/json_fields.h"
#include "hypervisor/qemu/json_text.h"
#include "os/command.h"
#include "os/files.h"
#include "os/system_error.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kQuick = seconds(60);
constexpr Millis kCopy = seconds(3600);
constexpr std::size_t kEpochFileSize = 256;  // one block, written at once

Result<std::int64_t> virtual_size_mib(const std::string& path, model::DiskFormat format) {
    ASSIGN_OR_RETURN(
        const std::string text,
        os::run_checked(
            {"qemu-img", "info", "--output=json", "-U", "-f", format_name(format), path}, kQuick));
    ASSIGN_OR_RETURN(const JsonFields info, JsonFields::parse(text));
    constexpr std::int64_t kMib = 1 << 20;
    return (info.number("virtual-size") + kMib - 1) / kMib;
}

// A disk smaller than what it starts from would cut its file systems.
Status check_size(const DiskFile& disk) {
    if (disk.backing_path.empty()) {
        if (disk.size_mib > 0) return {};
        return fail(ErrorCode::kInvalid,
                    "disk \"" + disk.name + "\" has no size and no image to take it from",
                    "set its size_mib");
    }
    if (disk.size_mib == 0) return {};
    ASSIGN_OR_RETURN(const std::int64_t least,
                     virtual_size_mib(disk.backing_path, disk.backing_format));
    if (disk.size_mib >= least) return {};
    return fail(ErrorCode::kInvalid,
                "disk \"" + disk.name + "\" asks for " + std::to_string(disk.size_mib) +
                    " MiB, and its image has " + std::to_string(least),
                "set size_mib to " + std::to_string(least) + " or more, or leave it out");
}

Status make_at(const DiskFile& disk, const std::string& path) {
    const std::string size = std::to_string(disk.size_mib) + "M";
    const std::string format = format_name(disk.format);
    if (disk.backing_path.empty()) {
        RETURN_IF_ERROR(
            os::run_checked({"qemu-img", "create", "-q", "-f", format, path, size}, kQuick));
    } else if (disk.format == model::DiskFormat::kQcow2) {
        std::vector<std::string> command = {"qemu-img",
                                            "create",
                                            "-q",
                                            "-f",
                                            "qcow2",
                                            "-F",
                                            format_name(disk.backing_format),
                                            "-b",
                                            disk.backing_path,
                                            path};
        if (disk.size_mib > 0) command.push_back(size);
        RETURN_IF_ERROR(os::run_checked(command, kQuick));
    } else {
        RETURN_IF_ERROR(
            os::run_checked({"qemu-img", "convert", "-q", "-f", format_name(disk.backing_format),
                             "-O", "raw", disk.backing_path, path},
                            kCopy));
        if (disk.size_mib > 0) {
            RETURN_IF_ERROR(
                os::run_checked({"qemu-img", "resize", "-q", "-f", "raw", path, size}, kQuick));
        }
    }
    return {};
}

// The volume may have grown since the file was made.
Status grow(const DiskFile& disk) {
    if (disk.read_only || disk.size_mib == 0) return {};
    ASSIGN_OR_RETURN(const std::int64_t size_mib, virtual_size_mib(disk.path, disk.format));
    if (size_mib >= disk.size_mib) return {};
    RETURN_IF_ERROR(os::run_checked({"qemu-img", "resize", "-q", "--image-opts", file_options(disk),
                                     std::to_string(disk.size_mib) + "M"},
                                    kQuick));
    return {};
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// An overlay in a shared pool may have been made on another host, whose files lie elsewhere. Image
// files are named by their content: the same name is the same image.
Status check_backing(const DiskFile& disk) {
    if (!disk.shared || disk.backing_path.empty() || disk.format != model::DiskFormat::kQcow2)
        return {};
    ASSIGN_OR_RETURN(const std::string text, os::run_checked({"qemu-img", "info", "--output=json",
                                                              "-U", "-f", "qcow2", disk.path},
                                                             kQuick));
    ASSIGN_OR_RETURN(const JsonFields info, JsonFields::parse(text));
    const std::string made_on = base_name(info.text("backing-filename"));
    if (made_on == base_name(disk.backing_path)) return {};
    return fail(ErrorCode::kConflict,
                "disk \"" + disk.name + "\" was made on the image file " + made_on +
                    ", and its image has " + base_name(disk.backing_path) + " now",
                "import the image that it was made on under its old name");
}

Status sync_file(const std::string& path) {
    const os::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return os::fail_errno("open " + path);
    if (::fchmod(fd.get(), 0600) != 0) return os::fail_errno("set the mode of " + path);
    if (::fsync(fd.get()) != 0) return os::fail_errno("fsync " + path);
    return {};
}

Result<Claim> read_claim(int fd, const std::string& path) {
    char block[kEpochFileSize];
    const ssize_t got = ::pread(fd, block, sizeof block, 0);
    if (got < 0) return os::fail_errno("read " + path);
    const std::string_view text(block, static_cast<std::size_t>(got));
    if (text.find_first_not_of(" \n") == std::string_view::npos) return Claim{};
    const auto fields = JsonFields::parse(text);
    if (!fields) {
        return fail(ErrorCode::kInternal,
                    path + " is damaged: whether this disk may be opened is not known",
                    "make sure that the VM runs nowhere, then remove that file");
    }
    return Claim{static_cast<std::uint64_t>(fields->number("volume_epoch")),
                 static_cast<std::uint64_t>(fields->number("epoch")), fields->text("node")};
}

Status write_claim(int fd, const Claim& claim, const std::string& path) {
    std::string text = JsonObject()
                           .add("volume_epoch", claim.volume_epoch)
                           .add("epoch", claim.epoch)
                           .add("node", claim.node)
                           .text();
    text.resize(kEpochFileSize - 1, ' ');
    text += '\n';
    if (::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
        ::fsync(fd) != 0) {
        return os::fail_errno("write " + path);
    }
    return {};
}

Result<bool> make_ceph_disk(const DiskFile& disk, const Claim& ours) {
    ASSIGN_OR_RETURN(const CephImage image, parse_ceph_image(disk.path));
    ASSIGN_OR_RETURN(const bool there,
                     grow_ceph_image(image, ours, disk.read_only ? 0 : disk.size_mib));
    if (there) return false;
    RETURN_IF_ERROR(check_size(disk));
    if (disk.backing_path.empty()) {
        RETURN_IF_ERROR(create_ceph_image(image, disk.size_mib));
        return true;
    }
    std::int64_t size_mib = disk.size_mib;
    if (size_mib == 0) {
        ASSIGN_OR_RETURN(size_mib, virtual_size_mib(disk.backing_path, disk.backing_format));
    }
    RETURN_IF_ERROR(
        copy_to_ceph_image(image, size_mib, ours, disk.backing_path, disk.backing_format));
    return true;
}

}  // namespace

Result<bool> make_disk(const DiskFile& disk, std::uint64_t epoch, const std::string& node) {
    if (is_ceph(disk.path)) {
        return make_ceph_disk(disk, {disk.volume_epoch, epoch, node});
    }
    if (os::path_exists(disk.path)) {
        RETURN_IF_ERROR(check_backing(disk));
        RETURN_IF_ERROR(grow(disk));
        return false;
    }
    RETURN_IF_ERROR(check_size(disk));
    RETURN_IF_ERROR(os::make_directories(os::parent_directory(disk.path), 0700));
    const std::string temporary = disk.path + ".tmp";
    RETURN_IF_ERROR(os::remove_file(temporary));
    Status made = make_at(disk, temporary);
    if (made) made = sync_file(temporary);
    if (made) made = os::rename_file(temporary, disk.path);
    if (!made) {
        (void)os::remove_file(temporary);
        return tl::make_unexpected(made.error());
    }
    return true;
}

Status remove_disk(const std::string& path) {
    if (is_ceph(path)) {
        ASSIGN_OR_RETURN(const CephImage image, parse_ceph_image(path));
        return remove_ceph_image(image);
    }
    RETURN_IF_ERROR(os::remove_file(path));
    RETURN_IF_ERROR(os::remove_file(path + ".tmp"));
    return os::remove_file(path + ".epoch");
}

Status claim_disk(const DiskFile& disk, std::uint64_t epoch, const std::string& node) {
    if (!disk.shared || disk.read_only) return {};
    const Claim ours{disk.volume_epoch, epoch, node};
    if (is_ceph(disk.path)) {
        ASSIGN_OR_RETURN(const CephImage image, parse_ceph_image(disk.path));
        return claim_ceph_image(image, ours);
    }
    const std::string path = disk.path + ".epoch";
    const bool fresh = !os::path_exists(path);
    const os::UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return os::fail_errno("open " + path);
    if (fresh) RETURN_IF_ERROR(os::sync_directory(os::parent_directory(path)));
    while (::flock(fd.get(), LOCK_EX) != 0) {
        if (errno != EINTR) return os::fail_errno("lock " + path);
    }
    ASSIGN_OR_RETURN(const Claim held, read_claim(fd.get(), path));
    if (held == ours) return {};
    RETURN_IF_ERROR(check_claim(held, ours, disk.path));
    return write_claim(fd.get(), ours, path);
}

}  // namespace blixard::hypervisor
