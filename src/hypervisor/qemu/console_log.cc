#include "hypervisor/qemu/console_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/files.h"
#include "os/system_error.h"

namespace blixard::hypervisor {
namespace {

std::int64_t modified_ms(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) return -1;
    return static_cast<std::int64_t>(found.st_mtim.tv_sec) * 1000 +
           found.st_mtim.tv_nsec / 1'000'000;
}

}  // namespace

Status ConsoleLog::begin() {
    seen_.clear();
    missed_text_.clear();
    const auto size = os::file_size(file(kConsoleLog));
    if (!size || *size == 0) return {};
    if (::rename(file(kConsoleLog).c_str(), file(kConsoleLogCut).c_str()) != 0) {
        return os::fail_errno("keep the former " + file(kConsoleLog));
    }
    // Marks it as older than the instance that begins: see has().
    const timespec long_ago[2] = {{0, 0}, {0, 0}};
    ::utimensat(AT_FDCWD, file(kConsoleLogCut).c_str(), long_ago, 0);
    return {};
}

Status ConsoleLog::trim() {
    const auto size = os::file_size(file(kConsoleLog));
    if (!size || *size <= kConsoleLogMax) return {};
    ASSIGN_OR_RETURN(const std::string kept, os::read_file_tail(file(kConsoleLog), kConsoleLogMax));
    RETURN_IF_ERROR(os::replace_file(file(kConsoleLogCut), kept, 0600));
    // QEMU appends (O_APPEND), so it goes on at the new end.
    if (::truncate(file(kConsoleLog).c_str(), 0) != 0)
        return os::fail_errno("cut " + file(kConsoleLog));
    return {};
}

Result<std::string> ConsoleLog::tail(std::size_t max_bytes) const {
    std::string text;
    if (auto newest = os::read_file_tail(file(kConsoleLog), max_bytes)) text = std::move(*newest);
    if (text.size() < max_bytes) {
        if (const auto older = os::read_file_tail(file(kConsoleLogCut), max_bytes - text.size())) {
            text.insert(0, *older);
        }
    }
    return text;
}

bool ConsoleLog::has(std::string_view text, WallTime since) {
    if (seen_.find(text) != seen_.end()) return true;
    const auto size = os::file_size(file(kConsoleLog));
    if (!size || (missed_text_ == text && missed_size_ == *size)) return false;
    std::string log;
    if (modified_ms(file(kConsoleLogCut)) >= since.ms) {  // cut from this instance's own log
        log = os::read_file_tail(file(kConsoleLogCut), kConsoleLogMax).value_or("");
    }
    log += os::read_file_tail(file(kConsoleLog), 2 * kConsoleLogMax).value_or("");
    if (log.find(text) != std::string::npos) {
        seen_.emplace(text);
        return true;
    }
    missed_text_ = text;
    missed_size_ = *size;
    return false;
}

}  // namespace blixard::hypervisor
