// Reads the members of one small JSON object (records, messages). A missing member, or one of
// another type, gives the default. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::hypervisor {

class JsonFields {
 public:
    static Result<JsonFields> parse(std::string_view text);  // refused unless it is an object
    ~JsonFields();
    JsonFields(JsonFields&&) noexcept;
    JsonFields& operator=(JsonFields&&) noexcept;

    std::string text(std::string_view name) const;
    std::int64_t number(std::string_view name) const;
    std::optional<std::int64_t> optional_number(std::string_view name) const;
    bool flag(std::string_view name) const;
    std::vector<std::string> texts(std::string_view name) const;
    std::string json(std::string_view name) const;  // the member as JSON text; empty where missing
    std::vector<std::string> objects(
        std::string_view name) const;  // the elements of an array as JSON texts

 private:
    struct Parsed;
    explicit JsonFields(std::unique_ptr<Parsed> parsed);
    std::unique_ptr<Parsed> parsed_;
};

// The elements of a JSON array as JSON texts; empty where it is none.
std::vector<std::string> json_elements(std::string_view array);

}  // namespace blixard::hypervisor
