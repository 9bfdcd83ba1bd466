#include "images/stray_disks.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "os/files.h"
#include "os/system_error.h"

namespace blixard::images {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::size_t kUidDigits = 32;

// Empty: it is not named as a disk is.
std::string uid_of(const std::string& name) {
    const std::string uid = name.substr(0, name.find('.'));
    const bool ours = uid.size() == kUidDigits && uid.size() < name.size() &&
                      uid.find_first_not_of(kHexDigits) == std::string::npos;
    return ours ? uid : std::string{};
}

}  // namespace

Result<StrayDisks> disks_in(const std::string& directory) {
    StrayDisks disks;
    if (!os::path_exists(directory)) return disks;
    ASSIGN_OR_RETURN(const auto names, os::list_directory(directory));
    for (const std::string& name : names) {
        const std::string uid = uid_of(name);
        if (uid.empty()) continue;
        StrayDisk disk{.path = directory + "/" + name};
        struct stat facts{};
        if (::lstat(disk.path.c_str(), &facts) != 0) {
            if (errno == ENOENT) continue;  // deleted meanwhile
            return os::fail_errno("stat " + disk.path);
        }
        if (!S_ISREG(facts.st_mode)) continue;
        disk.size_bytes = static_cast<std::uint64_t>(facts.st_blocks) * 512;
        disk.modified = WallTime{facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000};
        disks.emplace(uid, std::move(disk));
    }
    return disks;
}

void drop_named(StrayDisks& disks, std::string_view record) {
    for (std::size_t at = record.find_first_of(kHexDigits); at != std::string_view::npos;) {
        const std::size_t end = std::min(record.find_first_not_of(kHexDigits, at), record.size());
        const std::string_view word = record.substr(at, end - at);
        if (const auto [first, last] = disks.equal_range(word); first != last)
            disks.erase(first, last);
        at = record.find_first_of(kHexDigits, end);
    }
}

}  // namespace blixard::images
