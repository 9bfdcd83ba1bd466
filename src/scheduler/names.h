// Strings that are compared often become small numbers once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace blixard::scheduler {

using NameId = std::uint32_t;
inline constexpr NameId kNoName = UINT32_MAX;  // a name nobody has: equal to no host's

struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
        return std::hash<std::string_view>{}(text);
    }
};

// Ids are given in the order of first use and never taken back, so they must not decide anything
// but equality.
class Names {
 public:
    NameId intern(std::string_view text);
    // kNoName if it was never interned. Allocates nothing.
    NameId find(std::string_view text) const;

 private:
    std::unordered_map<std::string, NameId, NameHash, std::equal_to<>> ids_;
};

// A label (key and value) as one number.
using LabelId = std::uint64_t;
inline LabelId label_id(NameId key, NameId value) { return (std::uint64_t{key} << 32) | value; }

}  // namespace blixard::scheduler
