#include "api/http/target.h"

namespace blixard::api::http {
namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

enum class Plus { kLiteral, kSpace };

Result<std::string> decode(std::string_view text, Plus plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            const bool whole = i + 2 < text.size();
            const int high = whole ? hex_digit(text[i + 1]) : -1;
            const int low = whole ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return fail(ErrorCode::kInvalid,
                            "the request target holds \"%\" without two hexadecimal digits",
                            "write a percent sign as %25");
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus == Plus::kSpace) {
            c = ' ';
        }
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            return fail(ErrorCode::kInvalid,
                        "the request target holds a NUL or another control character");
        out += c;
    }
    if (!is_utf8(out)) return fail(ErrorCode::kInvalid, "the request target is not UTF-8 text");
    return out;
}

Status check_segments(std::string_view path) {
    std::size_t start = 1;
    while (start <= path.size()) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        const std::string_view segment = path.substr(start, end - start);
        if (segment == "." || segment == "..")
            return fail(ErrorCode::kInvalid, "the path holds a \".\" or \"..\" segment",
                        "name the resource directly");
        if (segment.empty() && path.size() > 1)
            return fail(ErrorCode::kInvalid,
                        "the path holds an empty segment (\"//\" or a slash at its end)",
                        "write /v1/vms rather than /v1/vms/");
        start = end + 1;
    }
    return {};
}

Result<std::string> parse_path(std::string_view raw) {
    if (raw.find("%2f") != raw.npos || raw.find("%2F") != raw.npos)
        return fail(ErrorCode::kInvalid, "the path holds an encoded slash (%2F)",
                    "no name of ours holds a slash");
    ASSIGN_OR_RETURN(std::string path, decode(raw, Plus::kLiteral));
    RETURN_IF_ERROR(check_segments(path));
    return path;
}

// "http://host:port/path?query" -> "/path?query"
std::string_view without_authority(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!target.starts_with(scheme)) continue;
        target.remove_prefix(scheme.size());
        const std::size_t end = target.find_first_of("/?");
        return end == target.npos ? std::string_view("/") : target.substr(end);
    }
    return target;
}

}  // namespace

bool is_utf8(std::string_view text) {
    const auto* byte = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = byte + text.size();
    while (byte != end) {
        if (*byte < 0x80) {
            if (*byte++ == 0) return false;
            continue;
        }
        const int tail = *byte >= 0xF0 ? 3 : *byte >= 0xE0 ? 2 : 1;
        if (*byte < 0xC2 || *byte > 0xF4 || end - byte <= tail) return false;
        std::uint32_t point = *byte++ & (0x3F >> tail);
        for (int i = 0; i < tail; ++i, ++byte) {
            if ((*byte & 0xC0) != 0x80) return false;
            point = point << 6 | (*byte & 0x3F);
        }
        constexpr std::uint32_t kSmallest[] = {0x80, 0x800, 0x10000};
        if (point < kSmallest[tail - 1] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            return false;
    }
    return true;
}

Result<Target> parse_target(std::string_view target) {
    target = without_authority(target);
    if (target.empty() || target[0] != '/')
        return fail(ErrorCode::kInvalid, "the request target does not begin with \"/\"",
                    "ask for a path like /v1/vms");
    if (target.find('#') != target.npos)
        return fail(ErrorCode::kInvalid, "the request target holds a fragment (\"#\")",
                    "write the character as %23");
    const std::size_t mark = target.find('?');
    Target parsed;
    ASSIGN_OR_RETURN(parsed.path, parse_path(target.substr(0, mark)));
    if (mark == target.npos) return parsed;

    std::string_view rest = target.substr(mark + 1);
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (pair.empty()) continue;
        if (parsed.query.size() == kQueryParametersMax)
            return fail(ErrorCode::kInvalid, "the query has more than 64 parameters");
        const std::size_t equals = std::min(pair.find('='), pair.size());
        ASSIGN_OR_RETURN(std::string name, decode(pair.substr(0, equals), Plus::kSpace));
        ASSIGN_OR_RETURN(std::string value,
                         decode(pair.substr(std::min(equals + 1, pair.size())), Plus::kSpace));
        parsed.query.emplace_back(std::move(name), std::move(value));
    }
    return parsed;
}

}  // namespace blixard::api::http
