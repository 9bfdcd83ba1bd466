// The little JSON that this room writes itself: QMP commands, the watchdog's messages, the records
// beside a VM. Reading is simdjson's. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace blixard::hypervisor {

// A quoted JSON string (RFC 8259, section 7). Bytes that are no UTF-8 become U+FFFD.
std::string json_string(std::string_view text);
std::string json_strings(const std::vector<std::string>& texts);

// An object in the order of its members: JsonObject().add("pid", 7).text() is {"pid":7}.
class JsonObject {
 public:
    JsonObject& add_json(std::string_view name, std::string_view json);  // `json` is JSON already
    JsonObject& add(std::string_view name, std::string_view text) {
        return add_json(name, json_string(text));
    }
    JsonObject& add(std::string_view name, const char* text) {
        return add(name, std::string_view(text));
    }
    JsonObject& add(std::string_view name, bool value) {
        return add_json(name, value ? "true" : "false");
    }
    template <class Integer>
        requires(std::is_integral_v<Integer> && !std::is_same_v<Integer, bool>)
    JsonObject& add(std::string_view name, Integer value) {
        return add_json(name, std::to_string(value));
    }

    std::string text() const { return "{" + members_ + "}"; }

 private:
    std::string members_;
};

}  // namespace blixard::hypervisor
