#include "model/json_writer.h"

#include <charconv>
#include <cmath>

#include "base/assert.h"

namespace blixard::model::json {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the UTF-8 sequence that `text` begins with; 0 if it begins with none (Unicode, table
// 3-7).
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
        const unsigned high = lead == 0xED ? 0x9F : 0xBF;  // no surrogates
        return byte(1) >= low && byte(1) <= high && tail(2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
        const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;  // up to U+10FFFF
        return byte(1) >= low && byte(1) <= high && tail(2) && tail(3) ? 4 : 0;
    }
    return 0;
}

void append_control(unsigned char byte, std::string& out) {
    switch (byte) {
        case '\0': out += kReplacement; return;
        case '\b': out += "\\b"; return;
        case '\f': out += "\\f"; return;
        case '\n': out += "\\n"; return;
        case '\r': out += "\\r"; return;
        case '\t': out += "\\t"; return;
        default: break;
    }
    constexpr char kHex[] = "0123456789abcdef";
    out += "\\u00";
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
}

constexpr bool is_plain(unsigned char byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

}  // namespace

void append_string(std::string_view text, std::string& out) {
    out += '"';
    std::size_t start = 0;  // of the run that can be copied as it is
    std::size_t i = 0;
    const auto flush = [&] { out.append(text.substr(start, i - start)); };
    while (i < text.size()) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if (is_plain(byte)) {
            ++i;
            continue;
        }
        if (byte >= 0x80) {
            const std::size_t length = sequence_length(text.substr(i));
            if (length > 0) {
                i += length;
                continue;
            }
            flush();
            out += kReplacement;
        } else {
            flush();
            if (byte == '"' || byte == '\\') {
                out += '\\';
                out += text[i];
            } else {
                append_control(byte, out);
            }
        }
        start = ++i;
    }
    flush();
    out += '"';
}

void append_number(std::int64_t number, std::string& out) {
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end);
}

void append_number(double number, std::string& out) {
    ASSERT(std::isfinite(number));
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end);
}

void Writer::separate() {
    if (comma_) out_ += ',';
    comma_ = true;
}

Writer& Writer::begin_object() {
    separate();
    out_ += '{';
    comma_ = false;
    return *this;
}

Writer& Writer::end_object() {
    out_ += '}';
    comma_ = true;
    return *this;
}

Writer& Writer::begin_array() {
    separate();
    out_ += '[';
    comma_ = false;
    return *this;
}

Writer& Writer::end_array() {
    out_ += ']';
    comma_ = true;
    return *this;
}

Writer& Writer::member(std::string_view name) {
    separate();
    append_string(name, out_);
    out_ += ':';
    comma_ = false;
    return *this;
}

Writer& Writer::value(std::string_view text) {
    separate();
    append_string(text, out_);
    return *this;
}

Writer& Writer::value(bool truth) {
    separate();
    out_ += truth ? "true" : "false";
    return *this;
}

Writer& Writer::value(std::int64_t number) {
    separate();
    append_number(number, out_);
    return *this;
}

Writer& Writer::value(double number) {
    separate();
    append_number(number, out_);
    return *this;
}

Writer& Writer::raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
}

}  // namespace blixard::model::json
