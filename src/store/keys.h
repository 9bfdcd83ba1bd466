// Keys as byte strings: where the keys under a prefix end.
#pragma once

#include <string>
#include <string_view>

namespace blixard::store {

// The smallest key above all keys that start with `prefix`; empty if there is none (no prefix, or
// 0xff bytes only).
std::string prefix_end(std::string_view prefix);

}  // namespace blixard::store
