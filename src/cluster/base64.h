// Base64 for texts that people copy: the URL alphabet, no padding (RFC 4648 §5). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::cluster {

std::string encode_base64(std::string_view bytes);
Result<std::string> decode_base64(
    std::string_view text);  // kInvalid: a character or length that cannot be

}  // namespace blixard::cluster
