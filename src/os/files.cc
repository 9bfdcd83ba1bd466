#include "os/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>

#include "os/system_error.h"

namespace blixard::os {
namespace {

Result<UniqueFd> open_existing(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return fail_errno("open " + path);
    return fd;
}

Result<std::string> read_rest(int fd, std::size_t max_bytes, const std::string& path) {
    std::string bytes;
    for (;;) {
        char block[65536];
        const ssize_t got = ::read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + path);
        if (got == 0) return bytes;
        if (bytes.size() + static_cast<std::size_t>(got) > max_bytes) {
            return fail(ErrorCode::kTooLarge, "read " + path + ": it is larger than " +
                                                  std::to_string(max_bytes) + " bytes");
        }
        bytes.append(block, static_cast<std::size_t>(got));
    }
}

// A name that no other writer of this or another process uses.
std::string temporary_beside(const std::string& path) {
    static std::atomic<unsigned> count{0};
    return path + "." + std::to_string(::getpid()) + "-" + std::to_string(++count) + ".tmp";
}

Status write_new_file(const std::string& path, std::string_view bytes, mode_t mode, bool durable) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd) return fail_errno("create " + path);
    RETURN_IF_ERROR(write_all(fd.get(), bytes, "write " + path));
    if (durable && ::fsync(fd.get()) != 0) return fail_errno("fsync " + path);
    return {};
}

Status put_in_place(const std::string& path, std::string_view bytes, mode_t mode, bool durable) {
    // rename() would put a file in the place of /dev/null, for everybody on this machine.
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0 && !S_ISREG(found.st_mode) && !S_ISLNK(found.st_mode))
        return fail(ErrorCode::kDenied, "write " + path + ": it is no regular file",
                    "name a new file, or one that may be replaced");
    const std::string temporary = temporary_beside(path);
    Status written = write_new_file(temporary, bytes, mode, durable);
    if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
        written = fail_errno("rename " + temporary + " to " + path);
    }
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return durable ? sync_directory(parent_directory(path)) : Status{};
}

Status remove_tree_at(int parent, const char* name, const std::string& path, dev_t device) {
    struct stat found{};
    if (::fstatat(parent, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return {};
        return fail_errno("look at " + path);
    }
    if (!S_ISDIR(found.st_mode)) {
        if (::unlinkat(parent, name, 0) != 0 && errno != ENOENT)
            return fail_errno("remove " + path);
        return {};
    }
    if (found.st_dev != device) {
        return fail(ErrorCode::kDenied, "remove " + path + ": another file system is mounted there",
                    "unmount it first");
    }
    UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return fail_errno("open " + path);
    ASSIGN_OR_RETURN(const auto names, list_directory("/proc/self/fd/" + std::to_string(fd.get())));
    for (const std::string& child : names) {
        RETURN_IF_ERROR(remove_tree_at(fd.get(), child.c_str(), path + "/" + child, device));
    }
    if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return fail_errno("remove " + path);
    }
    return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
    ASSIGN_OR_RETURN(const UniqueFd fd, open_existing(path));
    return read_rest(fd.get(), max_bytes, path);
}

Result<std::string> read_file_tail(const std::string& path, std::size_t max_bytes) {
    ASSIGN_OR_RETURN(const UniqueFd fd, open_existing(path));
    const off_t size = ::lseek(fd.get(), 0, SEEK_END);
    if (size < 0) return fail_errno("seek " + path);
    const off_t begin = std::max<off_t>(0, size - static_cast<off_t>(max_bytes));
    std::string bytes(static_cast<std::size_t>(size - begin), '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const ssize_t got = ::pread(fd.get(), bytes.data() + filled, bytes.size() - filled,
                                    begin + static_cast<off_t>(filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail_errno("read " + path);
        if (got == 0) break;  // it shrank meanwhile
        filled += static_cast<std::size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
}

Status write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode) {
    return put_in_place(path, bytes, mode, true);
}

Status replace_file(const std::string& path, std::string_view bytes, mode_t mode) {
    return put_in_place(path, bytes, mode, false);
}

Status make_directories(const std::string& path, mode_t mode) {
    if (::mkdir(path.c_str(), mode) == 0) return {};
    if (errno == ENOENT && parent_directory(path) != path) {
        RETURN_IF_ERROR(make_directories(parent_directory(path), mode));
        if (::mkdir(path.c_str(), mode) == 0) return {};
    }
    if (errno != EEXIST) return fail_errno("make directory " + path);
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return fail_errno("look at " + path);
    if (S_ISDIR(found.st_mode)) return {};
    return fail(ErrorCode::kExists, "make directory " + path + ": a file is there",
                "move the file away");
}

Result<std::vector<std::string>> list_directory(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(path.c_str()), ::closedir);
    if (!directory) return fail_errno("list " + path);
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(directory.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Status remove_file(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove " + path);
    return {};
}

Status remove_tree(const std::string& path) {
    struct stat parent{};
    const std::string directory = parent_directory(path);
    if (::stat(directory.c_str(), &parent) != 0) {
        if (errno == ENOENT) return {};
        return fail_errno("look at " + directory);
    }
    return remove_tree_at(AT_FDCWD, path.c_str(), path, parent.st_dev);
}

Status rename_file(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) return fail_errno("rename " + from + " to " + to);
    return sync_directory(parent_directory(to));
}

Status sync_directory(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return fail_errno("open " + path);
    if (::fsync(fd.get()) != 0) return fail_errno("fsync " + path);
    return {};
}

bool path_exists(const std::string& path) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0;
}

Result<std::uint64_t> file_size(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return fail_errno("look at " + path);
    return static_cast<std::uint64_t>(found.st_size);
}

Result<UniqueFd> lock_file(const std::string& path) {
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return fail_errno("open " + path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            return fail(ErrorCode::kUnavailable, "lock " + path + ": another process holds it",
                        "see which one with: fuser " + path);
        }
        return fail_errno("lock " + path);
    }
    return fd;
}

std::string parent_directory(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, std::string_view bytes, const std::string& what) {
    while (!bytes.empty()) {
        const ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return fail_errno(what);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

}  // namespace blixard::os
