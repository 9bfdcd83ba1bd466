// Struct to text, by the struct's table.
#include "model/json_dom.h"
#include "model/json_writer.h"
#include "model/type.h"

namespace blixard::model::json {
namespace {

void append_key(std::string_view name, bool& first, std::string& out) {
    if (!first) out += ',';
    first = false;
    out += '"';
    out += name;  // names in tables need no escapes
    out += "\":";
}

void write_strings(const std::vector<std::string>& list, std::string& out) {
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) out += ',';
        append_string(list[i], out);
    }
    out += ']';
}

void write_ints(const std::vector<std::int64_t>& list, std::string& out) {
    Writer writer(out);
    writer.begin_array();
    for (const std::int64_t number : list) writer.value(number);
    writer.end_array();
}

void write_map(const std::map<std::string, std::string>& map, std::string& out) {
    Writer writer(out);
    writer.begin_object();
    for (const auto& [key, value] : map) writer.member(key, std::string_view(value));
    writer.end_object();
}

// A string that should hold an object and does not is still a string.
void write_json(const std::string& text, std::string& out) {
    const auto dom = Dom::parse(text);
    if (dom && dom->root().is_object())
        out += text;
    else
        append_string(text, out);
}

bool is_left_out(const Field& field, const void* member) {
    switch (field.kind) {
        case Kind::kString:
        case Kind::kJson: return static_cast<const std::string*>(member)->empty();
        case Kind::kShort: return static_cast<const ShortText*>(member)->empty();
        case Kind::kStrings: return static_cast<const std::vector<std::string>*>(member)->empty();
        case Kind::kInts: return static_cast<const std::vector<std::int64_t>*>(member)->empty();
        case Kind::kMap:
            return static_cast<const std::map<std::string, std::string>*>(member)->empty();
        case Kind::kOptional:
        case Kind::kObjects: return field.items->size(member) == 0;
        default: return false;
    }
}

void write_value(const Field& field, const void* member, std::string& out) {
    switch (field.kind) {
        case Kind::kBool: out += *static_cast<const bool*>(member) ? "true" : "false"; return;
        case Kind::kInt: append_number(*static_cast<const std::int64_t*>(member), out); return;
        case Kind::kDouble: append_number(*static_cast<const double*>(member), out); return;
        case Kind::kString: append_string(*static_cast<const std::string*>(member), out); return;
        case Kind::kShort: append_string(*static_cast<const ShortText*>(member), out); return;
        case Kind::kEnum:
            out += '"';
            out += field.names[*static_cast<const std::uint8_t*>(member)];
            out += '"';
            return;
        case Kind::kStrings:
            write_strings(*static_cast<const std::vector<std::string>*>(member), out);
            return;
        case Kind::kInts:
            write_ints(*static_cast<const std::vector<std::int64_t>*>(member), out);
            return;
        case Kind::kMap:
            write_map(*static_cast<const std::map<std::string, std::string>*>(member), out);
            return;
        case Kind::kObject: write_object(field.type(), member, out); return;
        case Kind::kOptional: write_object(field.type(), field.items->at(member, 0), out); return;
        case Kind::kObjects:
            out += '[';
            for (std::size_t i = 0, n = field.items->size(member); i < n; ++i) {
                if (i > 0) out += ',';
                write_object(field.type(), field.items->at(member, i), out);
            }
            out += ']';
            return;
        case Kind::kJson: write_json(*static_cast<const std::string*>(member), out); return;
    }
}

}  // namespace

void write_object(const Type& type, const void* object, std::string& out) {
    out += '{';
    bool first = true;
    for (const Field& field : type.fields) {
        const void* member = field.of(object);
        if (is_left_out(field, member)) continue;
        const std::size_t before = out.size();
        const bool was_first = first;
        append_key(field.name, first, out);
        write_value(field, member, out);
        if (field.kind == Kind::kObject &&
            out.ends_with(":{}")) {  // an object of which nothing is said
            out.resize(before);
            first = was_first;
        }
    }
    for (const auto& [key, json] : type.extras(object).members) {
        if (!first) out += ',';
        first = false;
        append_string(key, out);
        out += ':';
        out += json;
    }
    out += '}';
}

}  // namespace blixard::model::json
