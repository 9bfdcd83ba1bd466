#include "model/json_schema.h"

#include <algorithm>
#include <limits>

namespace blixard::model::json {
namespace {

void write_reference(const Type& type, Writer& writer) {
    writer.begin_object()
        .member("$ref", "#/components/schemas/" + std::string(type.name))
        .end_object();
}

void write_range(const Limits& limits, Writer& writer) {
    if (limits.min != std::numeric_limits<std::int64_t>::min())
        writer.member("minimum", limits.min);
    if (limits.max != std::numeric_limits<std::int64_t>::max())
        writer.member("maximum", limits.max);
}

std::string_view pattern(Rule rule) {
    switch (rule) {
        case Rule::kText:
        case Rule::kIp: return {};
        case Rule::kLine: return "^[^\\u0000-\\u001f\\u007f]*$";
        case Rule::kName: return "^$|^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";
        case Rule::kToken: return "^[A-Za-z0-9._:/-]*$";
        case Rule::kMac: return "^$|^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$";
        case Rule::kSha256: return "^$|^[0-9a-f]{64}$";
    }
    return {};
}

void write_words(std::span<const std::string_view> words, Writer& writer) {
    writer.member("enum").begin_array();
    for (const std::string_view word : words) writer.value(word);
    writer.end_array();
}

void write_string(const Limits& limits, bool in_list, Writer& writer) {
    writer.member("type", "string");
    if (limits.required || in_list) writer.member("minLength", 1);
    if (!limits.read_only) writer.member("maxLength", limits.length_max);
    if (!limits.words.empty()) return write_words(limits.words, writer);
    if (const auto expression = pattern(limits.rule); !expression.empty())
        writer.member("pattern", expression);
}

void write_list(const Limits& limits, Writer& writer) {
    writer.member("type", "array");
    if (limits.required) writer.member("minItems", 1);
    if (!limits.read_only) writer.member("maxItems", limits.items_max);
}

void write_default(const Field& field, const void* member, Writer& writer) {
    if (field.limits.read_only) return;
    if (field.kind == Kind::kBool) writer.member("default", *static_cast<const bool*>(member));
    if (field.kind == Kind::kDouble) writer.member("default", *static_cast<const double*>(member));
    if (field.kind == Kind::kEnum)
        writer.member("default", field.names[*static_cast<const std::uint8_t*>(member)]);
    if (field.kind != Kind::kInt) return;
    const auto value = *static_cast<const std::int64_t*>(member);
    if (value >= field.limits.min) writer.member("default", value);
}

void write_kind(const Field& field, Writer& writer) {
    const Limits& limits = field.limits;
    switch (field.kind) {
        case Kind::kBool: writer.member("type", "boolean"); return;
        case Kind::kInt:
            writer.member("type", "integer").member("format", "int64");
            return write_range(limits, writer);
        case Kind::kDouble: writer.member("type", "number"); return write_range(limits, writer);
        case Kind::kString:
        case Kind::kShort: return write_string(limits, false, writer);
        case Kind::kEnum: writer.member("type", "string"); return write_words(field.names, writer);
        case Kind::kStrings:
            write_list(limits, writer);
            writer.member("items").begin_object();
            write_string(limits, true, writer);
            writer.end_object();
            return;
        case Kind::kInts:
            write_list(limits, writer);
            writer.member("items").raw(R"({"type":"integer","format":"int64"})");
            return;
        case Kind::kMap:
            writer.member("type", "object").member("additionalProperties").begin_object();
            write_string(limits, false, writer);
            writer.end_object();
            if (!limits.read_only) writer.member("maxProperties", limits.items_max);
            return;
        case Kind::kObject:
        case Kind::kOptional:
            writer.member("$ref", "#/components/schemas/" + std::string(field.type().name));
            return;
        case Kind::kObjects:
            write_list(limits, writer);
            writer.member("items");
            return write_reference(field.type(), writer);
        case Kind::kJson: writer.member("type", "object"); return;
    }
}

std::string description(const Field& field) {
    std::string text(field.doc);
    if (!field.limits.unit.empty()) text += " Unit: " + std::string(field.limits.unit) + ".";
    if (field.limits.fixed) text += " Cannot change later.";
    return text;
}

void write_field(const Field& field, const void* default_object, Writer& writer) {
    writer.member(field.name).begin_object();
    write_kind(field, writer);
    writer.member("description", description(field));
    write_default(field, field.of(default_object), writer);
    if (field.limits.read_only) writer.member("readOnly", true);
    writer.end_object();
}

}  // namespace

void write_properties(const Type& type, Writer& writer) {
    const void* default_object = type.defaults();
    for (const Field& field : type.fields) write_field(field, default_object, writer);
}

void write_schema(const Type& type, bool closed, Writer& writer) {
    writer.begin_object().member("type", "object").member("description", type.doc);
    writer.member("properties").begin_object();
    write_properties(type, writer);
    writer.end_object();
    const auto required = [](const Field& field) { return field.limits.required; };
    if (std::any_of(type.fields.begin(), type.fields.end(), required)) {
        writer.member("required").begin_array();
        for (const Field& field : type.fields)
            if (required(field)) writer.value(field.name);
        writer.end_array();
    }
    if (closed) writer.member("additionalProperties", false);
    writer.end_object();
}

void collect_types(const Type& type, std::vector<const Type*>& types) {
    if (std::find(types.begin(), types.end(), &type) != types.end()) return;
    types.push_back(&type);
    for (const Field& field : type.fields)
        if (field.type) collect_types(field.type(), types);
}

}  // namespace blixard::model::json
