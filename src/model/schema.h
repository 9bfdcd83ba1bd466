// What every document type shares: members that this version does not know, and the names of enum
// values. The tables that describe the types stand in *_types.cc; what is made of them is declared
// in documents.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace blixard::model {
namespace json {

// Members that a newer version wrote and this one does not know: (name, JSON text), in document
// order. They are written back as they were, so that hosts of different versions can share a store.
struct Extras {
    std::vector<std::pair<std::string, std::string>> members;

    bool operator==(const Extras&) const = default;
};

// The names of an enum's values on the wire, indexed by value. Specialised beside each enum.
template <class E>
inline constexpr std::array<std::string_view, 0> kNames{};

template <class... Names>
constexpr std::array<std::string_view, sizeof...(Names)> names(const Names&... each) {
    return {std::string_view(each)...};
}

}  // namespace json

// Strict: what people send; an unknown member is refused with its path. Lenient: what the store
// holds; unknown members are kept in `extras` and written back.
enum class Mode : std::uint8_t { kStrict, kLenient };

// "on-failure"; static storage.
template <class E>
constexpr std::string_view enum_name(E value) {
    constexpr auto& names = json::kNames<E>;
    static_assert(names.size() > 0, "this enum has no names on the wire");
    return names[static_cast<std::size_t>(value)];
}

template <class E>
constexpr std::optional<E> enum_value(std::string_view name) {
    constexpr auto& names = json::kNames<E>;
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<E>(i);
    return std::nullopt;
}

}  // namespace blixard::model
