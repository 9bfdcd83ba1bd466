#include "base/time.h"

#include <cstdio>
#include <ctime>

namespace blixard {

std::string to_rfc3339(WallTime time) {
    std::int64_t whole_seconds = time.ms / 1000;
    std::int64_t millis = time.ms % 1000;
    if (millis < 0) {
        millis += 1000;
        --whole_seconds;
    }
    const std::time_t stamp = whole_seconds;
    std::tm parts{};
    gmtime_r(&stamp, &parts);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                  parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                  static_cast<int>(millis));
    return text;
}

}  // namespace blixard
