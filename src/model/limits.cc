// The limits in the tables, and the members that stay as they are.
#include <arpa/inet.h>

#include <algorithm>

#include "model/documents.h"
#include "model/type.h"

namespace blixard::model::json {
namespace {

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_token_char(char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '/' ||
           c == '-' || c == ':';
}
bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

std::string quoted(std::string_view text) {
    std::string shown = "\"";
    std::size_t length = std::min<std::size_t>(text.size(), 64);
    while (length < text.size() && length > 0 &&
           (static_cast<unsigned char>(text[length]) & 0xC0u) == 0x80u)
        --length;  // never half a character
    for (const char c : text.substr(0, length)) shown += is_control(c) ? '?' : c;
    return shown + (length < text.size() ? "..." : "") + "\"";
}

Status refuse(const Path& path, std::string message, std::string help = {}) {
    return fail_field(path.text(), std::move(message), std::move(help));
}

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > 63) return false;
    if (!is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

bool is_mac(std::string_view text) {
    if (text.size() != 17) return false;
    for (std::size_t i = 0; i < text.size(); ++i)
        if (i % 3 == 2 ? text[i] != ':' : !is_hex(text[i])) return false;
    constexpr std::string_view kUnicast =
        "02468aceACE";  // the lowest bit of the first byte marks a group
    return kUnicast.find(text[1]) != std::string_view::npos;
}

bool is_ip(std::string_view text) {
    unsigned char address[sizeof(in6_addr)];
    const std::string copy(text);  // inet_pton wants its end marked
    return inet_pton(AF_INET, copy.c_str(), address) == 1 ||
           inet_pton(AF_INET6, copy.c_str(), address) == 1;
}

std::string amount(std::int64_t value, std::string_view unit) {
    std::string text = std::to_string(value);
    if (unit.empty()) return text;
    text += ' ';
    text += unit;
    constexpr std::int64_t kTib = 1024 * 1024;
    if (unit == "MiB" && value >= kTib && value % kTib == 0)
        text += " (" + std::to_string(value / kTib) + " TiB)";
    return text;
}

// "must be 16 to 4194304 MiB (4 TiB), found 5 MiB"
template <class Number>
Status check_range(const Limits& limits, Number value, const std::string& found, const Path& path) {
    if (value >= static_cast<Number>(limits.min) && value <= static_cast<Number>(limits.max))
        return {};
    const bool low = limits.min != std::numeric_limits<std::int64_t>::min();
    const bool high = limits.max != std::numeric_limits<std::int64_t>::max();
    std::string wanted = low && high
                             ? std::to_string(limits.min) + " to " + amount(limits.max, limits.unit)
                         : low ? "at least " + amount(limits.min, limits.unit)
                               : "at most " + amount(limits.max, limits.unit);
    return refuse(path, "must be " + wanted + ", found " + found);
}

Status check_string(const Limits& limits, std::string_view text, const Path& path) {
    if (text.empty())
        return limits.required ? refuse(path, "is missing", "give it a value") : Status{};
    if (text.size() > limits.length_max)
        return refuse(path, "has " + std::to_string(text.size()) + " bytes; at most " +
                                std::to_string(limits.length_max) + " are allowed");
    if (!limits.words.empty() &&
        std::find(limits.words.begin(), limits.words.end(), text) == limits.words.end()) {
        std::string known = "known: ";
        for (const std::string_view word : limits.words) {
            if (word != limits.words.front()) known += ", ";
            known += word;
        }
        return refuse(path, "cannot be " + quoted(text), std::move(known));
    }
    return check_rule(limits.rule, text, path);
}

Status check_count(const Limits& limits, std::size_t count, const Path& path) {
    if (limits.required && count == 0)
        return refuse(path, "is missing", "give it at least one element");
    if (count <= limits.items_max) return {};
    return refuse(path, "has " + std::to_string(count) + " elements; at most " +
                            std::to_string(limits.items_max) + " are allowed");
}

Status check_map(const Limits& limits, const std::map<std::string, std::string>& map,
                 const Path& path) {
    RETURN_IF_ERROR(check_count(limits, map.size(), path));
    for (const auto& [key, value] : map) {
        const Path here{&path, key};
        if (key.empty() || key.size() > 63)
            return refuse(here,
                          "a key has 1 to 63 characters, found " + std::to_string(key.size()));
        RETURN_IF_ERROR(check_rule(Rule::kToken, key, here));
        RETURN_IF_ERROR(check_string(limits, value, here));
    }
    return {};
}

Status check_field(const Field& field, const void* member, const Path& path) {
    const Limits& limits = field.limits;
    switch (field.kind) {
        case Kind::kInt: {
            const auto value = *static_cast<const std::int64_t*>(member);
            return check_range(limits, value, amount(value, limits.unit), path);
        }
        case Kind::kDouble: {
            const auto value = *static_cast<const double*>(member);
            return check_range(limits, value, std::to_string(value), path);
        }
        case Kind::kString:
            return check_string(limits, *static_cast<const std::string*>(member), path);
        case Kind::kShort:
            return check_string(limits, *static_cast<const ShortText*>(member), path);
        case Kind::kStrings: {
            const auto& list = *static_cast<const std::vector<std::string>*>(member);
            RETURN_IF_ERROR(check_count(limits, list.size(), path));
            for (std::size_t i = 0; i < list.size(); ++i) {
                const Path here{&path, {}, i};
                if (list[i].empty()) return refuse(here, "is empty");
                RETURN_IF_ERROR(check_string(limits, list[i], here));
            }
            return {};
        }
        case Kind::kInts:
            return check_count(limits,
                               static_cast<const std::vector<std::int64_t>*>(member)->size(), path);
        case Kind::kMap:
            return check_map(limits,
                             *static_cast<const std::map<std::string, std::string>*>(member), path);
        case Kind::kObject: return check_limits(field.type(), member, path);
        case Kind::kOptional:
            return field.items->size(member) == 0
                       ? Status{}
                       : check_limits(field.type(), field.items->at(member, 0), path);
        case Kind::kObjects: {
            const std::size_t count = field.items->size(member);
            RETURN_IF_ERROR(check_count(limits, count, path));
            for (std::size_t i = 0; i < count; ++i)
                RETURN_IF_ERROR(
                    check_limits(field.type(), field.items->at(member, i), Path{&path, {}, i}));
            return {};
        }
        case Kind::kBool:
        case Kind::kEnum:
        case Kind::kJson: return {};
    }
    return {};
}

}  // namespace

std::string Path::text() const {
    if (!up && index == npos) return std::string(name);  // the root: empty, or given by the caller
    std::string before = up ? up->text() : std::string();
    if (index != npos) return before + "[" + std::to_string(index) + "]";
    const bool plain =
        !name.empty() && name.size() <= 64 &&
        std::all_of(name.begin(), name.end(), [](char c) { return is_token_char(c) && c != '.'; });
    if (!plain) return before + "[" + quoted(name) + "]";
    if (!before.empty()) before += '.';
    return before.append(name);
}

Status check_rule(Rule rule, std::string_view text, const Path& path) {
    switch (rule) {
        case Rule::kText: return {};
        case Rule::kLine:
            if (std::none_of(text.begin(), text.end(), is_control)) return {};
            return refuse(path, "may not contain control characters or line ends");
        case Rule::kName:
            if (is_name(text)) return {};
            return refuse(path, quoted(text) + " is not a name",
                          "names have 1 to 63 of a-z, 0-9 and \"-\", and begin and end with a "
                          "letter or digit");
        case Rule::kToken:
            if (std::all_of(text.begin(), text.end(), is_token_char)) return {};
            return refuse(path, quoted(text) + " has a character that is not allowed here",
                          "allowed: letters, digits and . _ : / -");
        case Rule::kMac:
            if (is_mac(text)) return {};
            return refuse(path, quoted(text) + " is not a MAC address of one machine",
                          "write it as 52:54:00:12:34:56; the second digit is even");
        case Rule::kIp:
            if (is_ip(text)) return {};
            return refuse(path, quoted(text) + " is not an IP address", "write it as 127.0.0.1");
        case Rule::kSha256:
            if (text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
                    return is_hex(c) && !(c >= 'A' && c <= 'F');
                }))
                return {};
            return refuse(path, quoted(text) + " is not a SHA-256",
                          "64 hexadecimal digits, lower case");
    }
    return {};
}

Status check_limits(const Type& type, const void* object, const Path& path) {
    for (const Field& field : type.fields)
        RETURN_IF_ERROR(check_field(field, field.of(object), Path{&path, field.name}));
    return {};
}

Status check_fixed(const Type& type, const void* before, const void* now, const Path& path) {
    for (const Field& field : type.fields) {
        if (!field.limits.fixed) continue;
        std::string was;
        std::string is;
        if (field.kind == Kind::kString) {
            was = *static_cast<const std::string*>(field.of(before));
            is = *static_cast<const std::string*>(field.of(now));
        } else if (field.kind == Kind::kEnum) {
            was = field.names[*static_cast<const std::uint8_t*>(field.of(before))];
            is = field.names[*static_cast<const std::uint8_t*>(field.of(now))];
        }
        if (was != is)
            return refuse(
                Path{&path, field.name},
                "stays " + quoted(was) + " for as long as this exists, asked for " + quoted(is),
                "delete it and make it anew, or take another name");
    }
    return {};
}

}  // namespace blixard::model::json
