#include "cluster/base64.h"

#include <cstdint>

namespace blixard::cluster {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string encode_base64(std::string_view bytes) {
    std::string text;
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : bytes) {
        pending = (pending << 8) | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6; bits -= 6) text += kAlphabet[(pending >> (bits - 6)) & 63];
    }
    if (bits > 0) text += kAlphabet[(pending << (6 - bits)) & 63];
    return text;
}

Result<std::string> decode_base64(std::string_view text) {
    if (text.size() % 4 == 1) return fail(ErrorCode::kInvalid, "the text is cut off");
    std::string bytes;
    std::uint32_t pending = 0;
    int bits = 0;
    for (const char c : text) {
        const auto value = kAlphabet.find(c);
        if (value == std::string_view::npos)
            return fail(ErrorCode::kInvalid,
                        "the text contains a character that base64 does not have");
        pending = (pending << 6) | static_cast<std::uint32_t>(value);
        bits += 6;
        if (bits < 8) continue;
        bits -= 8;
        bytes += static_cast<char>((pending >> bits) & 255);
    }
    if ((pending & ((1u << bits) - 1)) != 0)
        return fail(ErrorCode::kInvalid, "the text is cut off");
    return bytes;
}

}  // namespace blixard::cluster
