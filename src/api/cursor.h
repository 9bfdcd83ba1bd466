// Where a list goes on: the last key that was given, opaque to clients. Holds while things come and
// go, since it names a place in the order and not a position.
#pragma once

#include <string>
#include <string_view>

#include "api/subject.h"
#include "base/result.h"

namespace blixard::api {

inline constexpr std::size_t kCursorKeyBytesMax = 256;

// base64url of a version, the kind, and the key. Pure.
std::string encode_cursor(Kind kind, std::string_view key);

// The key; kInvalid where this is no cursor of ours, or one of another list.
Result<std::string> decode_cursor(Kind kind, std::string_view text);

}  // namespace blixard::api
