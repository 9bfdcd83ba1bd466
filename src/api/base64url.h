// RFC 4648 section 5, without padding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace blixard::api {

std::string to_base64url(std::string_view bytes);
// Absent: not base64url, or not the one way to write these bytes.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace blixard::api
