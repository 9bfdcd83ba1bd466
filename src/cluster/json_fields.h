// The members of one small JSON object, taken out one by one; what is left over is kept as it was,
// so that a record written by a newer version survives being rewritten by this one. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/schema.h"

namespace blixard::cluster {

class JsonFields {
 public:
    // kInvalid: not one JSON object.
    static Result<JsonFields> parse(std::string_view text);

    // The member's value, or the empty value where it is absent or of another type.
    std::string take_text(std::string_view name);
    std::int64_t take_number(std::string_view name);
    bool take_bool(std::string_view name);
    std::vector<std::string> take_texts(std::string_view name);
    std::vector<std::string> take_objects(std::string_view name);  // of a list, each as JSON

    model::json::Extras rest();  // what was not taken

 private:
    struct Member {
        std::string name;
        std::string json;
    };
    std::string take(std::string_view name);  // its JSON text, "" where absent

    std::vector<Member> members_;
};

// Writes one object; empty texts and lists are left out.
class JsonObject {
 public:
    JsonObject& add(std::string_view name, std::string_view text);
    JsonObject& add(std::string_view name, const char* text) {
        return add(name, std::string_view(text));
    }
    JsonObject& add(std::string_view name, std::int64_t number);
    JsonObject& add_bool(std::string_view name, bool value);
    JsonObject& add(std::string_view name, const std::vector<std::string>& texts);
    JsonObject& add_json(std::string_view name, std::string_view json);
    JsonObject& add(const model::json::Extras& extras);
    std::string text() const { return "{" + body_ + "}"; }

 private:
    void begin(std::string_view name);

    std::string body_;
};

std::string json_text(std::string_view text);  // quoted and escaped

}  // namespace blixard::cluster
