// How people count: "1 host", "2 hosts".
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace blixard {

inline std::string counted(std::int64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}
inline std::string counted(std::size_t count, std::string_view noun) {
    return counted(static_cast<std::int64_t>(count), noun);
}

}  // namespace blixard
