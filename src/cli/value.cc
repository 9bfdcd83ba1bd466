#include "cli/value.h"

#include <fmt/format.h>

#include <cmath>

#include "base/assert.h"

namespace blixard::cli {

Value Value::object(std::initializer_list<Member> members) { return Value(Object(members)); }

bool Value::operator==(const Value& other) const { return data_ == other.data_; }

const Value* Value::find(std::string_view name) const {
    if (const Object* members = as_object())
        for (const Member& member : *members)
            if (member.name == name) return &member.value;
    return nullptr;
}

Value* Value::find(std::string_view name) {
    return const_cast<Value*>(static_cast<const Value*>(this)->find(name));
}

const Value* Value::at(std::string_view path) const {
    const Value* value = this;
    while (value && !path.empty()) {
        std::size_t dot = path.find('.');
        value = value->find(path.substr(0, dot));
        path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    }
    return value;
}

Value& Value::set(std::string_view name, Value value) {
    if (is_null()) data_ = Object{};
    if (Value* present = find(name)) return *present = std::move(value);
    Object* members = as_object();
    ASSERT(members != nullptr);
    members->push_back(Member{std::string(name), std::move(value)});
    return members->back().value;
}

bool Value::erase(std::string_view name) {
    Object* members = as_object();
    return members && std::erase_if(*members, [&](const Member& m) { return m.name == name; }) > 0;
}

Value& Value::push(Value item) {
    if (is_null()) data_ = Array{};
    Array* items = as_array();
    ASSERT(items != nullptr);
    items->push_back(std::move(item));
    return items->back();
}

std::string Value::text(std::string_view path) const {
    const Value* value = at(path);
    return value && value->as_string() ? *value->as_string() : std::string{};
}

std::int64_t Value::number(std::string_view path, std::int64_t absent) const {
    const Value* value = at(path);
    if (!value) return absent;
    if (value->as_int()) return *value->as_int();
    if (value->as_double()) return static_cast<std::int64_t>(*value->as_double());
    return absent;
}

double Value::real(std::string_view path, double absent) const {
    const Value* value = at(path);
    if (!value) return absent;
    if (value->as_double()) return *value->as_double();
    if (value->as_int()) return static_cast<double>(*value->as_int());
    return absent;
}

bool Value::flag(std::string_view path, bool absent) const {
    const Value* value = at(path);
    return value && value->as_bool() ? *value->as_bool() : absent;
}

const Value::Array& Value::items(std::string_view path) const {
    static const Array kNone;
    const Value* value = at(path);
    return value && value->as_array() ? *value->as_array() : kNone;
}

std::string Value::plain() const {
    if (is_null()) return {};
    if (as_string()) return *as_string();
    return to_json(*this);
}

}  // namespace blixard::cli
