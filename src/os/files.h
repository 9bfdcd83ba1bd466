// Files and directories. Blocking; any thread. The last component of a path is never followed where
// it is a symbolic link.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/unique_fd.h"

namespace blixard::os {

// The whole file; refused (kTooLarge) beyond `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes = 64u << 20);

// The newest `max_bytes` of a file that may be growing.
Result<std::string> read_file_tail(const std::string& path, std::size_t max_bytes);

// All or nothing, even over a power cut: a temporary file beside it, fsync, rename, fsync of the
// directory.
Status write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode = 0600);

// The same without waiting for the disk: whole or absent to readers, but a power cut may lose it.
Status replace_file(const std::string& path, std::string_view bytes, mode_t mode = 0600);

// Makes the directory and its missing parents; `mode` is given to those made. An existing directory
// keeps its mode.
Status make_directories(const std::string& path, mode_t mode = 0700);

// The names in a directory, sorted, without "." and "..".
Result<std::vector<std::string>> list_directory(const std::string& path);

// Succeeds where there is nothing. remove_tree() never leaves `path` through a link or another
// mounted file system.
Status remove_file(const std::string& path);
Status remove_tree(const std::string& path);

Status rename_file(const std::string& from, const std::string& to);  // then fsync of the directory
Status sync_directory(const std::string& path);
bool path_exists(const std::string& path);
Result<std::uint64_t> file_size(const std::string& path);

// An exclusive flock on `path` (made where missing); kUnavailable where another process holds it.
// Held until the fd is closed.
Result<UniqueFd> lock_file(const std::string& path);

std::string parent_directory(const std::string& path);

// Writes all of it, over short writes and EINTR.
Status write_all(int fd, std::string_view bytes, const std::string& what);

}  // namespace blixard::os
