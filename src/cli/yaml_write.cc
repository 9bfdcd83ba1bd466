// Value to YAML, block style. Text is quoted wherever a reader could take it for anything else.
#include <fmt/format.h>

#include <cmath>

#include "cli/yaml.h"

namespace blixard::cli {
namespace {

bool has_control(std::string_view text) {
    for (unsigned char c : text)
        if (c < 0x20 || c == 0x7f) return true;
    return false;
}

bool plain_is_safe(std::string_view text) {
    if (text.empty() || !resolve_scalar(text).as_string()) return false;
    if (text.front() == ' ' || text.back() == ' ' || text.back() == ':') return false;
    // Indicators that begin something else; '-', '?' and ':' are avoided too, rather than looked at
    // closely.
    if (std::string_view("-?:,[]{}#&*!|>'\"%@`=<.~").find(text.front()) != std::string_view::npos)
        return false;
    if (text.find(": ") != std::string_view::npos || text.find(" #") != std::string_view::npos)
        return false;
    // YAML 1.1 readers take these for booleans.
    for (std::string_view word : {"yes", "no", "on", "off", "y", "n", "Yes", "No", "On", "Off",
                                  "YES", "NO", "ON", "OFF", "Y", "N"})
        if (text == word) return false;
    return !has_control(text);
}

// Lines of text that can be set as they are under "|": cloud-init documents stay readable in an
// editor.
bool literal_is_safe(std::string_view text) {
    if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n')
        return false;
    for (unsigned char c : text)
        if ((c < 0x20 && c != '\n') || c == 0x7f) return false;
    if (text.starts_with("\xef\xbb\xbf")) return false;
    if (text.find("\n ") == 0) return false;
    return text.back() == '\n' ? !text.ends_with("\n\n") : true;
}

void write_literal(std::string& out, std::string_view text, int indent) {
    out += text.back() == '\n' ? "|" : "|-";
    if (text.back() == '\n') text.remove_suffix(1);
    while (true) {
        std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        out += '\n';
        if (!line.empty()) out.append(static_cast<std::size_t>(indent), ' ').append(line);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
}

bool trailing_spaces_only_lines(std::string_view text) {
    // A line of blanks alone would lose or gain indentation under "|".
    std::size_t start = 0;
    while (start <= text.size()) {
        std::size_t end = std::min(text.find('\n', start), text.size());
        std::string_view line = text.substr(start, end - start);
        if (!line.empty() && line.find_first_not_of(' ') == std::string_view::npos) return true;
        start = end + 1;
    }
    return false;
}

void write_text(std::string& out, const std::string& text, int indent) {
    if (plain_is_safe(text))
        out += text;
    else if (literal_is_safe(text) && !trailing_spaces_only_lines(text))
        write_literal(out, text, indent);
    else
        out += to_json(Value(text));  // a JSON string is a double-quoted YAML scalar
}

void write_key(std::string& out, const std::string& name) {
    out += plain_is_safe(name) ? name : to_json(Value(name));
    out += ':';
}

void write_real(std::string& out, double real) {
    std::string text = fmt::format("{}", real);
    if (!std::isfinite(real)) text = "null";
    out += text;
}

bool is_empty(const Value& value) {
    return (value.as_array() && value.as_array()->empty()) ||
           (value.as_object() && value.as_object()->empty());
}

bool is_block(const Value& value) {
    return (value.as_array() || value.as_object()) && !is_empty(value);
}

void write_scalar(std::string& out, const Value& value, int indent) {
    if (value.as_string())
        write_text(out, *value.as_string(), indent);
    else if (value.as_double())
        write_real(out, *value.as_double());
    else
        out += to_json(value);  // null, booleans, integers, {} and []
}

// Writes a collection whose first line continues where the cursor stands, the others at `indent`.
void write_block(std::string& out, const Value& value, int indent) {
    std::string margin(static_cast<std::size_t>(indent), ' ');
    bool first = true;
    auto begin = [&] {
        if (!first) out += margin;
        first = false;
    };
    if (const Value::Array* items = value.as_array()) {
        for (const Value& item : *items) {
            begin();
            out += "- ";
            if (is_block(item)) {
                write_block(out, item, indent + 2);
            } else {
                write_scalar(out, item, indent + 2);
                out += '\n';
            }
        }
        return;
    }
    for (const Member& member : *value.as_object()) {
        begin();
        write_key(out, member.name);
        if (is_block(member.value)) {
            int inner = member.value.as_array() ? indent : indent + 2;
            out += '\n';
            out.append(static_cast<std::size_t>(inner), ' ');
            write_block(out, member.value, inner);
        } else {
            out += ' ';
            write_scalar(out, member.value, indent + 2);
            out += '\n';
        }
    }
}

}  // namespace

std::string to_yaml(const Value& value) {
    std::string out;
    if (is_block(value)) {
        write_block(out, value, 0);
    } else {
        write_scalar(out, value, 2);
        out += '\n';
    }
    return out;
}

}  // namespace blixard::cli
