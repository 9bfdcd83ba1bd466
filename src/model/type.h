// The one definition of a document type: a table of its members with name, meaning, limits and
// access. Everything else (parse.cc, write.cc, limits.cc, json_schema.cc) walks these tables, so a
// type costs its table and no generated code.
//
// Private to this room: others use documents.h, requests.h, validate.h and openapi.h.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "base/short_text.h"
#include "model/schema.h"

namespace blixard::model::json {

struct Type;

enum class Kind : std::uint8_t {
    kBool,
    kInt,  // std::int64_t
    kDouble,
    kString,
    kShort,     // ShortText
    kEnum,      // one byte, named by Field::names
    kStrings,   // std::vector<std::string>
    kInts,      // std::vector<std::int64_t>
    kMap,       // std::map<std::string, std::string>
    kObject,    // a struct with a table of its own
    kOptional,  // std::optional of such a struct
    kObjects,   // std::vector of such structs
    kJson,      // std::string that holds a JSON object; empty: none
};

// What a string may look like. Empty strings are judged by Limits::required alone.
enum class Rule : std::uint8_t {
    kText,    // anything but NUL
    kLine,    // no control characters
    kName,    // [a-z0-9-], 63, first and last a letter or digit
    kToken,   // [A-Za-z0-9._:/-], as in features, zones and label keys
    kMac,     // 52:54:00:12:34:56, unicast
    kIp,      // an IPv4 or IPv6 address
    kSha256,  // 64 lower-case hexadecimal digits
};

struct Limits {
    std::int64_t min = std::numeric_limits<std::int64_t>::min();
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
    std::string_view unit = {};  // of min and max, for people: "MiB"
    std::size_t length_max =
        1024;                    // of a string, each string of a list, each value of a map; bytes
    std::size_t items_max = 64;  // of a list or map
    Rule rule = Rule::kText;
    std::span<const std::string_view> words = {};  // a string must be one of these, or empty
    bool required = false;                         // may not be empty
    bool read_only = false;                        // the server's to write
    bool fixed = false;                            // stays as it was when the object was made
    bool raw_json = false;                         // the string holds a JSON object
};

// A list or an optional of structs, without its type.
struct Items {
    std::size_t (*size)(const void* list);
    const void* (*at)(const void* list, std::size_t index);
    void* (*append)(void* list);  // a new default element; an optional gets its value
};

struct Field {
    std::string_view name;
    std::string_view doc;
    Kind kind = Kind::kString;
    Limits limits;
    void* (*member)(void* object) = nullptr;
    std::span<const std::string_view> names = {};  // kEnum
    const Type& (*type)() = nullptr;               // kObject, kOptional, kObjects
    const Items* items = nullptr;                  // kOptional, kObjects

    const void* of(const void* object) const { return member(const_cast<void*>(object)); }
    void* of(void* object) const { return member(object); }
};

struct Type {
    std::string_view name;  // "VmSpec": the name of its schema
    std::string_view doc;
    std::span<const Field> fields;
    void* (*extras_member)(void* object) = nullptr;
    const void* (*defaults)() = nullptr;  // a default object

    const Extras& extras(const void* object) const {
        return *static_cast<const Extras*>(extras_member(const_cast<void*>(object)));
    }
    Extras& extras(void* object) const { return *static_cast<Extras*>(extras_member(object)); }
};

// Specialised for each type in types.h.
template <class T>
const Type& type_of();

namespace detail {

template <class C, class M>
struct Pointer {
    using Class = C;
    using Member = M;
};
template <class C, class M>
Pointer<C, M> split(M C::*);

template <class T>
inline constexpr Items kVectorItems = {
    [](const void* list) { return static_cast<const std::vector<T>*>(list)->size(); },
    [](const void* list, std::size_t i) -> const void* {
        return &(*static_cast<const std::vector<T>*>(list))[i];
    },
    [](void* list) -> void* { return &static_cast<std::vector<T>*>(list)->emplace_back(); },
};
template <class T>
inline constexpr Items kOptionalItems = {
    [](const void* list) {
        return std::size_t(static_cast<const std::optional<T>*>(list)->has_value() ? 1 : 0);
    },
    [](const void* list, std::size_t) -> const void* {
        return &**static_cast<const std::optional<T>*>(list);
    },
    [](void* list) -> void* { return &static_cast<std::optional<T>*>(list)->emplace(); },
};

template <class M>
struct Describe {  // a struct with a table of its own
    static constexpr void fill(Field& field) {
        field.kind = Kind::kObject;
        field.type = &type_of<M>;
    }
};
template <class E>
    requires std::is_enum_v<E>
struct Describe<E> {
    static_assert(sizeof(E) == 1);
    static constexpr void fill(Field& field) {
        field.kind = Kind::kEnum;
        field.names = kNames<E>;
    }
};
template <>
struct Describe<bool> {
    static constexpr void fill(Field& field) { field.kind = Kind::kBool; }
};
template <>
struct Describe<std::int64_t> {
    static constexpr void fill(Field& field) { field.kind = Kind::kInt; }
};
template <>
struct Describe<double> {
    static constexpr void fill(Field& field) { field.kind = Kind::kDouble; }
};
template <>
struct Describe<std::string> {
    static constexpr void fill(Field& field) {
        field.kind = field.limits.raw_json ? Kind::kJson : Kind::kString;
    }
};
template <>
struct Describe<ShortText> {
    static constexpr void fill(Field& field) {
        field.kind = Kind::kShort;
        field.limits.length_max = std::min(field.limits.length_max, ShortText::kBytesMax);
    }
};
template <>
struct Describe<std::vector<std::int64_t>> {
    static constexpr void fill(Field& field) { field.kind = Kind::kInts; }
};
template <>
struct Describe<std::vector<std::string>> {
    static constexpr void fill(Field& field) { field.kind = Kind::kStrings; }
};
template <>
struct Describe<std::map<std::string, std::string>> {
    static constexpr void fill(Field& field) { field.kind = Kind::kMap; }
};
template <class T>
struct Describe<std::vector<T>> {
    static constexpr void fill(Field& field) {
        field.kind = Kind::kObjects;
        field.type = &type_of<T>;
        field.items = &kVectorItems<T>;
    }
};
template <class T>
struct Describe<std::optional<T>> {
    static constexpr void fill(Field& field) {
        field.kind = Kind::kOptional;
        field.type = &type_of<T>;
        field.items = &kOptionalItems<T>;
    }
};

}  // namespace detail

// One row of a table: field<&VmSpec::cpus>("cpus", "Virtual CPUs.", {.min = 1, .max = 512}).
template <auto P>
constexpr Field field(std::string_view name, std::string_view doc, Limits limits = {}) {
    using Parts = decltype(detail::split(P));
    Field field;
    field.name = name;
    field.doc = doc;
    field.limits = limits;
    field.member = [](void* object) -> void* {
        return &(static_cast<typename Parts::Class*>(object)->*P);
    };
    detail::Describe<typename Parts::Member>::fill(field);
    return field;
}

template <class T>
constexpr Type make_type(std::string_view name, std::string_view doc,
                         std::span<const Field> fields) {
    return {name, doc, fields,
            [](void* object) -> void* { return &static_cast<T*>(object)->extras; },
            []() -> const void* {
                static const T value{};
                return &value;
            }};
}

// Where in a document we are; lives on the stack, turned into text only when something is wrong.
struct Path {
    const Path* up = nullptr;
    std::string_view name;
    std::size_t index = npos;

    static constexpr std::size_t npos = static_cast<std::size_t>(-1);
    std::string text() const;  // "spec.disks[1].size_mib"
};

// A member that this version does not know, of an object of that type, with its value.
struct UnknownMember {
    const Type* type;
    std::string name, json;

    bool operator==(const UnknownMember&) const = default;
};
using Unknown = std::vector<UnknownMember>;

// The walkers. `object` is one of the type that the table describes. `kept` are not refused when
// strict.
Result<void> parse_object(const Type& type, std::string_view text, Mode mode, void* object,
                          const Unknown* kept = nullptr);
void collect_unknown(const Type& type, const void* object, Unknown& into);
void write_object(const Type& type, const void* object, std::string& out);
Status check_limits(const Type& type, const void* object, const Path& path);
Status check_fixed(const Type& type, const void* before, const void* now, const Path& path);
Status check_rule(Rule rule, std::string_view value, const Path& path);

}  // namespace blixard::model::json
