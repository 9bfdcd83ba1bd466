#include "api/cursor.h"

#include <algorithm>

#include "api/base64url.h"

namespace blixard::api {
namespace {

constexpr char kVersion = '1';

bool is_key(std::string_view key) {
    return !key.empty() && key.size() <= kCursorKeyBytesMax &&
           std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

Error refused() {
    return {ErrorCode::kInvalid, "this is no cursor of this list", "after",
            "take `next` of the page before, as it came; without it the list begins anew"};
}

}  // namespace

std::string encode_cursor(Kind kind, std::string_view key) {
    std::string bytes{kVersion, static_cast<char>('a' + static_cast<int>(kind))};
    bytes += key;
    return to_base64url(bytes);
}

Result<std::string> decode_cursor(Kind kind, std::string_view text) {
    if (text.size() > kCursorKeyBytesMax * 2) return fail(refused());
    const std::optional<std::string> bytes = from_base64url(text);
    if (!bytes || bytes->size() < 2 || (*bytes)[0] != kVersion) return fail(refused());
    if ((*bytes)[1] != 'a' + static_cast<int>(kind)) return fail(refused());
    std::string key = bytes->substr(2);
    if (!is_key(key)) return fail(refused());
    return key;
}

}  // namespace blixard::api
