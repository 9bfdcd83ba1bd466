// Text to simdjson elements, with the bounds of documents.h. Private to this room; includes
// simdjson.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/type.h"

namespace blixard::model::json {

// A parsed text. Its elements live as long as it does. Parsers are reused: each thread keeps a few.
class Dom {
 public:
    // Refuses what is too large, too deep, no UTF-8, no JSON, or followed by more.
    static Result<Dom> parse(std::string_view text);

    Dom(Dom&&) noexcept = default;
    Dom& operator=(Dom&&) noexcept = default;
    ~Dom();

    simdjson::dom::element root() const { return root_; }

 private:
    Dom() = default;

    std::unique_ptr<simdjson::dom::parser> parser_;
    simdjson::dom::element root_;
};

// "a string", "a list", ... and, where it is short, the value itself: `a number (2.5)`.
std::string describe_value(simdjson::dom::element value);

// What the typed reader checks on its way, for values without a type: no NUL, no member twice.
Status check_plain(simdjson::dom::element value, const Path& path);

}  // namespace blixard::model::json
