// JSON text to Value and back. Reading is simdjson's; the DOM is fine for what a person looks at.
#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>

#include "cli/value.h"

namespace blixard::cli {
namespace {

Value from_dom(simdjson::dom::element element) {
    using simdjson::dom::element_type;
    switch (element.type()) {
        case element_type::NULL_VALUE: return {};
        case element_type::BOOL: return element.get_bool().value_unsafe();
        case element_type::INT64: return element.get_int64().value_unsafe();
        case element_type::UINT64: return static_cast<double>(element.get_uint64().value_unsafe());
        case element_type::DOUBLE: return element.get_double().value_unsafe();
        case element_type::STRING: return element.get_string().value_unsafe();
        case element_type::ARRAY: {
            Value::Array items;
            simdjson::dom::array array = element.get_array().value_unsafe();
            items.reserve(array.size());
            for (simdjson::dom::element item : array) items.push_back(from_dom(item));
            return items;
        }
        case element_type::OBJECT: {
            Value::Object members;
            simdjson::dom::object object = element.get_object().value_unsafe();
            members.reserve(object.size());
            for (auto [name, item] : object)
                members.push_back(Member{std::string(name), from_dom(item)});
            return members;
        }
    }
    return {};
}

void write_string(std::string& out, std::string_view text) {
    out += '"';
    for (char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
                    fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                                   static_cast<unsigned char>(c));
                else
                    out += c;
        }
    }
    out += '"';
}

// Pretty where indent >= 0: the column that the value's members are set in by two more.
void write(std::string& out, const Value& value, int indent);

void new_line(std::string& out, int indent) {
    if (indent >= 0) out.append("\n").append(static_cast<std::size_t>(indent), ' ');
}

void write_array(std::string& out, const Value::Array& items, int indent) {
    int inner = indent < 0 ? -1 : indent + 2;
    out += '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        new_line(out, inner);
        write(out, items[i], inner);
    }
    if (!items.empty()) new_line(out, indent);
    out += ']';
}

void write_object(std::string& out, const Value::Object& members, int indent) {
    int inner = indent < 0 ? -1 : indent + 2;
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i > 0) out += ',';
        new_line(out, inner);
        write_string(out, members[i].name);
        out += indent < 0 ? ":" : ": ";
        write(out, members[i].value, inner);
    }
    if (!members.empty()) new_line(out, indent);
    out += '}';
}

void write(std::string& out, const Value& value, int indent) {
    if (value.is_null()) {
        out += "null";
    } else if (const bool* flag = value.as_bool()) {
        out += *flag ? "true" : "false";
    } else if (const std::int64_t* number = value.as_int()) {
        fmt::format_to(std::back_inserter(out), "{}", *number);
    } else if (const double* real = value.as_double()) {
        // JSON has no infinity; null is what other writers put there.
        if (std::isfinite(*real))
            fmt::format_to(std::back_inserter(out), "{}", *real);
        else
            out += "null";
    } else if (const std::string* text = value.as_string()) {
        write_string(out, *text);
    } else if (const Value::Array* items = value.as_array()) {
        write_array(out, *items, indent);
    } else {
        write_object(out, *value.as_object(), indent);
    }
}

}  // namespace

Result<Value> parse_json(std::string_view text) {
    simdjson::dom::parser parser;
    if (parser.allocate(text.size() + 1, kJsonDepthMax) != simdjson::SUCCESS)
        return fail(ErrorCode::kTooLarge, "this JSON document is too large to read");
    simdjson::dom::element root;
    auto error = parser.parse(simdjson::padded_string(text)).get(root);
    if (error)
        return fail(ErrorCode::kInvalid,
                    fmt::format("not a JSON document: {}", simdjson::error_message(error)));
    return from_dom(root);
}

std::string to_json(const Value& value) {
    std::string out;
    write(out, value, -1);
    return out;
}

std::string to_json_pretty(const Value& value) {
    std::string out;
    write(out, value, 0);
    out += '\n';
    return out;
}

}  // namespace blixard::cli
