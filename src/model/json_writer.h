// JSON text, appended to a string as it comes. No tree is built.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace blixard::model::json {

// A quoted string. Bytes that are no UTF-8 and NUL become U+FFFD.
void append_string(std::string_view text, std::string& out);
void append_number(std::int64_t number, std::string& out);
void append_number(double number,
                   std::string& out);  // finite; the shortest text that reads back the same

// Puts the commas: begin_object(), member("name", value), member("list") + begin_array() ...,
// end_array(), end_object(). What is written is as well-formed as the calls are. Not thread-safe;
// `out` outlives it.
class Writer {
 public:
    explicit Writer(std::string& out) : out_(out) {}

    Writer& begin_object();
    Writer& end_object();
    Writer& begin_array();
    Writer& end_array();
    Writer& member(std::string_view name);  // the next value is this member's
    Writer& value(std::string_view text);
    Writer& value(const char* text) { return value(std::string_view(text)); }
    Writer& value(bool truth);
    Writer& value(std::int64_t number);
    Writer& value(double number);
    Writer& raw(std::string_view json);  // a value that is JSON text already

    template <class T>
    Writer& member(std::string_view name, const T& value) {
        member(name);
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>)
            return this->value(static_cast<std::int64_t>(value));
        else
            return this->value(value);
    }

 private:
    void separate();

    std::string& out_;
    bool comma_ = false;  // a value was written in the innermost object or list
};

}  // namespace blixard::model::json
