// Numbers as people write and read them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace blixard::cli {

// "512M", "2G", "1.5G", "1T", "512MiB", "2GB" (all binary), or a bare number of MiB. Above 0 and a
// whole number of MiB.
Result<std::int64_t> parse_size_mib(std::string_view text);

// "90", "90s", "2m", "1h30m", "250ms". Not negative.
Result<Millis> parse_duration(std::string_view text);

Result<std::int64_t> parse_integer(std::string_view text, std::int64_t least, std::int64_t most);
Result<double> parse_real(std::string_view text, double least);

// "key=value"
Result<std::pair<std::string, std::string>> parse_label(std::string_view text);

// "HOST:GUEST", "ADDRESS:HOST:GUEST", with "/udp" or "/tcp" behind; HOST may be 0 or left out: a
// free port is chosen.
struct PortPair {
    std::string address;
    std::int64_t host = 0;
    std::int64_t guest = 0;
    std::string protocol = "tcp";

    bool operator==(const PortPair&) const = default;
};
Result<PortPair> parse_port(std::string_view text);

std::string mib_text(std::int64_t mib);      // "512M", "1.5G", "2T"
std::string bytes_text(std::int64_t bytes);  // "0B", "12.3K", "80.5M"

// "2026-11-21T03:40:00.123Z" and its variants with an offset; nothing for anything else.
std::optional<WallTime> parse_rfc3339(std::string_view text);
// How long ago, in one unit: "3s", "12m", "5h", "9d", "2y". "-" where the time is empty or not
// understood.
std::string age_text(std::string_view rfc3339, WallTime now);
std::string duration_text(Millis span);  // "0.4 s", "12 s", "3 min 20 s"

}  // namespace blixard::cli
