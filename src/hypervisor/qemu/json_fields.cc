#include "hypervisor/qemu/json_fields.h"

#include <simdjson.h>

namespace blixard::hypervisor {

using simdjson::dom::array;
using simdjson::dom::element;

struct JsonFields::Parsed {
    simdjson::dom::parser parser;
    element root;
};

JsonFields::JsonFields(std::unique_ptr<Parsed> parsed) : parsed_(std::move(parsed)) {}
JsonFields::~JsonFields() = default;
JsonFields::JsonFields(JsonFields&&) noexcept = default;
JsonFields& JsonFields::operator=(JsonFields&&) noexcept = default;

Result<JsonFields> JsonFields::parse(std::string_view text) {
    auto parsed = std::make_unique<Parsed>();
    const simdjson::padded_string padded(text);
    if (parsed->parser.parse(padded).get(parsed->root) != simdjson::SUCCESS ||
        !parsed->root.is_object()) {
        return fail(ErrorCode::kInvalid, "not a JSON object: " + std::string(text.substr(0, 80)));
    }
    return JsonFields(std::move(parsed));
}

std::string JsonFields::text(std::string_view name) const {
    std::string_view value;
    return parsed_->root[name].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}

std::optional<std::int64_t> JsonFields::optional_number(std::string_view name) const {
    std::int64_t value = 0;
    if (parsed_->root[name].get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
}

std::int64_t JsonFields::number(std::string_view name) const {
    return optional_number(name).value_or(0);
}

bool JsonFields::flag(std::string_view name) const {
    bool value = false;
    return parsed_->root[name].get(value) == simdjson::SUCCESS && value;
}

std::vector<std::string> JsonFields::texts(std::string_view name) const {
    std::vector<std::string> all;
    array values;
    if (parsed_->root[name].get(values) != simdjson::SUCCESS) return all;
    for (const element value : values) {
        std::string_view text;
        if (value.get(text) == simdjson::SUCCESS) all.emplace_back(text);
    }
    return all;
}

std::string JsonFields::json(std::string_view name) const {
    element value;
    return parsed_->root[name].get(value) == simdjson::SUCCESS
               ? std::string(simdjson::minify(value))
               : std::string();
}

std::vector<std::string> JsonFields::objects(std::string_view name) const {
    return json_elements(json(name));
}

std::vector<std::string> json_elements(std::string_view text) {
    std::vector<std::string> all;
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(text);
    array values;
    if (parser.parse(padded).get(values) != simdjson::SUCCESS) return all;
    for (const element value : values) all.push_back(simdjson::minify(value));
    return all;
}

}  // namespace blixard::hypervisor
