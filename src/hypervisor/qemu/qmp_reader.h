// The pure half of QMP: bytes in, messages out. Bounded: a monitor that sends a line longer than
// kQmpLineMax, or what is no QMP, makes the reader fail for good. (QEMU: docs/interop/qmp-spec.txt)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::hypervisor {

inline constexpr std::size_t kQmpLineMax = 4u
                                           << 20;  // query-blockstats of 64 disks is about 100 KiB

struct QmpMessage {
    enum class Kind : std::uint8_t { kGreeting, kReturn, kError, kEvent } kind = Kind::kEvent;
    std::uint64_t id = 0;  // of the command that this answers; 0 where there is none
    std::string name;      // an event's name, or an error's class
    std::string text;      // an error's description
    std::string json;      // the greeting, the value returned, or the event's data
};

class QmpReader {
 public:
    // The messages that `bytes` complete, in order.
    Result<std::vector<QmpMessage>> feed(std::string_view bytes);

 private:
    std::string line_;
    bool failed_ = false;
};

Result<QmpMessage> parse_qmp(std::string_view line);

// One command as it is sent; `arguments` is a JSON object or empty.
std::string qmp_command(std::uint64_t id, std::string_view command, std::string_view arguments);

}  // namespace blixard::hypervisor
