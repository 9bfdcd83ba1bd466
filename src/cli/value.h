// A JSON value as the CLI handles it: members keep their order, so that what people read and edit
// looks as it was written. Values, no sharing; any thread. The daemon never uses this: a list of
// 100,000 VMs is no business of a terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace blixard::cli {

struct Member;

class Value {
 public:
    using Array = std::vector<Value>;
    using Object = std::vector<Member>;

    Value() = default;
    Value(std::nullptr_t) {}
    Value(bool flag) : data_(flag) {}
    Value(int number) : data_(std::int64_t{number}) {}
    Value(std::int64_t number) : data_(number) {}
    Value(double number) : data_(number) {}
    Value(const char* text) : data_(std::string(text)) {}
    Value(std::string text) : data_(std::move(text)) {}
    Value(std::string_view text) : data_(std::string(text)) {}
    Value(Array items) : data_(std::move(items)) {}
    Value(Object members) : data_(std::move(members)) {}
    static Value array() { return Value(Array{}); }
    static Value object() { return Value(Object{}); }
    static Value object(std::initializer_list<Member> members);

    bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
    const bool* as_bool() const { return std::get_if<bool>(&data_); }
    const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data_); }
    const double* as_double() const { return std::get_if<double>(&data_); }
    const std::string* as_string() const { return std::get_if<std::string>(&data_); }
    const Array* as_array() const { return std::get_if<Array>(&data_); }
    const Object* as_object() const { return std::get_if<Object>(&data_); }
    Array* as_array() { return std::get_if<Array>(&data_); }
    Object* as_object() { return std::get_if<Object>(&data_); }

    // The member of an object; null pointer where this is no object or has no such member.
    const Value* find(std::string_view name) const;
    Value* find(std::string_view name);
    // By a dotted path ("spec.cpus"); null pointer where any step is missing.
    const Value* at(std::string_view path) const;

    // Replaces or appends a member. A null value becomes an object first; anything else but an
    // object is a programming error.
    Value& set(std::string_view name, Value value);
    bool erase(std::string_view name);
    // Appends to an array (a null value becomes one first).
    Value& push(Value item);

    // By path, with a default where it is absent or of another type.
    std::string text(std::string_view path) const;
    std::int64_t number(std::string_view path, std::int64_t absent = 0) const;
    double real(std::string_view path, double absent = 0) const;
    bool flag(std::string_view path, bool absent = false) const;
    const Array& items(std::string_view path) const;  // empty where absent

    // A scalar as people write it: text bare, numbers and booleans as in JSON, null as "", the rest
    // as compact JSON.
    std::string plain() const;

    bool operator==(const Value&) const;

 private:
    std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

struct Member {
    std::string name;
    Value value;

    bool operator==(const Member&) const = default;
};

// One JSON document. At most kJsonDepthMax levels deep.
inline constexpr int kJsonDepthMax = 200;
Result<Value> parse_json(std::string_view text);

// Compact in one line, or pretty with two spaces and a final newline.
std::string to_json(const Value& value);
std::string to_json_pretty(const Value& value);

}  // namespace blixard::cli
