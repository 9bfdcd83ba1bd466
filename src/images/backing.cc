#include "images/backing.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "images/collection.h"
#include "os/files.h"
#include "os/system_error.h"
#include "os/unique_fd.h"

namespace blixard::images {
namespace {

constexpr std::uint32_t kNameBytesMax = 1023;  // the format's own bound

std::uint64_t big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
    return value;
}

// Less than `size` bytes where the file ends before.
Result<std::string> read_at(int fd, std::uint64_t offset, std::size_t size,
                            const std::string& path) {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(fd, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os::fail_errno("read " + path);
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
}

Status look_at_file(const std::string& path, std::set<std::string>& found) {
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file && errno == ENOENT) return {};  // deleted meanwhile
    if (!file) return os::fail_errno("open " + path);
    ASSIGN_OR_RETURN(const std::string head, read_at(file.get(), 0, kBackingHeadBytes, path));
    const auto place = backing_name_place(head);
    if (!place) return {};
    ASSIGN_OR_RETURN(const std::string name, read_at(file.get(), place->offset, place->size, path));
    found.merge(digests_in(name));
    return {};
}

Status look_at_directory(const std::string& path, int depth, std::set<std::string>& found) {
    if (depth == 0)
        return fail(ErrorCode::kTooLarge, path + " lies deeper than disks do",
                    "move away what is not Blixard's own");
    ASSIGN_OR_RETURN(const auto names, os::list_directory(path));
    for (const std::string& name : names) {
        const std::string inside = path + "/" + name;
        struct stat facts{};
        if (::lstat(inside.c_str(), &facts) != 0) {
            if (errno == ENOENT) continue;
            return os::fail_errno("stat " + inside);
        }
        if (S_ISDIR(facts.st_mode))
            RETURN_IF_ERROR(look_at_directory(inside, depth - 1, found));
        else if (S_ISREG(facts.st_mode))
            RETURN_IF_ERROR(look_at_file(inside, found));
    }
    return {};
}

}  // namespace

std::optional<BackingName> backing_name_place(std::string_view head) {
    if (head.size() < kBackingHeadBytes || head.substr(0, 4) != "QFI\xfb") return std::nullopt;
    const BackingName place{big_endian(head.substr(8, 8)),
                            static_cast<std::uint32_t>(big_endian(head.substr(16, 4)))};
    if (place.offset == 0 || place.size == 0 || place.size > kNameBytesMax) return std::nullopt;
    return place;
}

Result<std::set<std::string>> images_under_disks(const std::string& directory) {
    std::set<std::string> found;
    RETURN_IF_ERROR(look_at_directory(directory, kBackingDepth, found));
    return found;
}

}  // namespace blixard::images
