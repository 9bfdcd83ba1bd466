// The kept output of a serial console: console.log, to which QEMU appends, and console.log.1, what
// was cut from it. Bounded by trim(). Small blocking file operations; one thread at a time per
// directory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace blixard::hypervisor {

inline constexpr const char* kConsoleLog = "console.log";
inline constexpr const char* kConsoleLogCut = "console.log.1";
inline constexpr std::size_t kConsoleLogMax = 1u << 20;

class ConsoleLog {
 public:
    explicit ConsoleLog(std::string directory) : directory_(std::move(directory)) {}

    // A new instance begins: what the last one said is moved to console.log.1.
    Status begin();

    // Cuts console.log when it is longer than kConsoleLogMax: its content becomes console.log.1.
    // What the guest writes in the microseconds between the copy and the cut is lost.
    Status trim();

    Result<std::string> tail(std::size_t max_bytes) const;

    // Whether `text` has appeared since the instance began at `since`; once seen, it stays seen
    // even when it is cut.
    bool has(std::string_view text, WallTime since);

 private:
    std::string file(const char* name) const { return directory_ + "/" + name; }

    const std::string directory_;
    std::set<std::string, std::less<>> seen_;
    std::string missed_text_;        // the last text that was not found,
    std::uint64_t missed_size_ = 0;  // in a log of this size
};

}  // namespace blixard::hypervisor
