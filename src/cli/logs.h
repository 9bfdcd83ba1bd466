// What a growing, bounded log says anew.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace blixard::cli {

// The end of `text` that holds its last `lines` lines.
std::string_view last_lines(std::string_view text, std::size_t lines);

// `now` and `before` are looks at the end of one log. What of `now` came after `before`; all of it
// where they do not overlap.
std::string_view new_part(std::string_view before, std::string_view now);

}  // namespace blixard::cli
