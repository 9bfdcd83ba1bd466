#include "cluster/json_fields.h"

#include <simdjson.h>

namespace blixard::cluster {
namespace {

// Parses the JSON text of one value; the parser owns what `read` looks at.
template <class Read>
void with_value(const std::string& json, Read read) {
    if (json.empty()) return;
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    if (parser.parse(json).get(element) == simdjson::SUCCESS) read(element);
}

}  // namespace

Result<JsonFields> JsonFields::parse(std::string_view text) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (const auto error = parser.parse(text.data(), text.size()).get(object);
        error != simdjson::SUCCESS)
        return fail(ErrorCode::kInvalid,
                    std::string("this is no JSON object: ") + simdjson::error_message(error));
    JsonFields fields;
    for (const auto [name, value] : object)
        fields.members_.push_back({std::string(name), simdjson::minify(value)});
    return fields;
}

std::string JsonFields::take(std::string_view name) {
    for (auto member = members_.begin(); member != members_.end(); ++member) {
        if (member->name != name) continue;
        std::string json = std::move(member->json);
        members_.erase(member);
        return json;
    }
    return {};
}

std::string JsonFields::take_text(std::string_view name) {
    std::string text;
    with_value(take(name), [&](simdjson::dom::element value) {
        std::string_view view;
        if (value.get(view) == simdjson::SUCCESS) text = view;
    });
    return text;
}

std::int64_t JsonFields::take_number(std::string_view name) {
    std::int64_t number = 0;
    with_value(take(name), [&](simdjson::dom::element value) {
        if (value.get(number) != simdjson::SUCCESS) number = 0;
    });
    return number;
}

bool JsonFields::take_bool(std::string_view name) { return take(name) == "true"; }

std::vector<std::string> JsonFields::take_texts(std::string_view name) {
    std::vector<std::string> texts;
    with_value(take(name), [&](simdjson::dom::element value) {
        simdjson::dom::array array;
        if (value.get(array) != simdjson::SUCCESS) return;
        for (const auto element : array) {
            std::string_view view;
            if (element.get(view) == simdjson::SUCCESS) texts.emplace_back(view);
        }
    });
    return texts;
}

std::vector<std::string> JsonFields::take_objects(std::string_view name) {
    std::vector<std::string> objects;
    with_value(take(name), [&](simdjson::dom::element value) {
        simdjson::dom::array array;
        if (value.get(array) != simdjson::SUCCESS) return;
        for (const auto element : array)
            if (element.is_object()) objects.push_back(simdjson::minify(element));
    });
    return objects;
}

model::json::Extras JsonFields::rest() {
    model::json::Extras extras;
    for (Member& member : members_)
        extras.members.emplace_back(std::move(member.name), std::move(member.json));
    members_.clear();
    return extras;
}

std::string json_text(std::string_view text) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += "\\u00";
            out += kDigits[(c >> 4) & 15];
            out += kDigits[c & 15];
        } else {
            out += c;
        }
    }
    return out + "\"";
}

void JsonObject::begin(std::string_view name) {
    if (!body_.empty()) body_ += ',';
    body_ += json_text(name) + ":";
}

JsonObject& JsonObject::add(std::string_view name, std::string_view text) {
    if (!text.empty()) add_json(name, json_text(text));
    return *this;
}

JsonObject& JsonObject::add(std::string_view name, std::int64_t number) {
    return add_json(name, std::to_string(number));
}

JsonObject& JsonObject::add_bool(std::string_view name, bool value) {
    return add_json(name, value ? "true" : "false");
}

JsonObject& JsonObject::add(std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return *this;
    std::string list;
    for (const auto& text : texts) list += (list.empty() ? "" : ",") + json_text(text);
    return add_json(name, "[" + list + "]");
}

JsonObject& JsonObject::add_json(std::string_view name, std::string_view json) {
    begin(name);
    body_ += json;
    return *this;
}

JsonObject& JsonObject::add(const model::json::Extras& extras) {
    for (const auto& [name, json] : extras.members) add_json(name, json);
    return *this;
}

}  // namespace blixard::cluster
