#include "model/extras.h"

#include "model/types.h"

namespace blixard::model {
namespace json {
namespace {

void drop(const Type& type, void* object) {
    type.extras(object).members.clear();
    for (const Field& field : type.fields) {
        if (field.kind == Kind::kObject) drop(field.type(), field.of(object));
        if (field.kind != Kind::kOptional && field.kind != Kind::kObjects) continue;
        void* const list = field.of(object);
        for (std::size_t i = 0; i < field.items->size(list); ++i)
            drop(field.type(), const_cast<void*>(field.items->at(list, i)));
    }
}

const std::string* name_of(const Type& type, const void* object) {
    for (const Field& field : type.fields)
        if (field.name == "name" && field.kind == Kind::kString)
            return static_cast<const std::string*>(field.of(object));
    return nullptr;
}

void keep(const Type& type, const void* before, void* now);

// The item of `list` that was `item`, number `index`; null: it is new.
const void* former(const Field& field, const void* list, const void* item, std::size_t index) {
    const std::string* name = name_of(field.type(), item);
    if (!name) return index < field.items->size(list) ? field.items->at(list, index) : nullptr;
    for (std::size_t i = 0; i < field.items->size(list); ++i)
        if (*name_of(field.type(), field.items->at(list, i)) == *name)
            return field.items->at(list, i);
    return nullptr;
}

void keep_items(const Field& field, const void* before, void* now) {
    for (std::size_t i = 0; i < field.items->size(now); ++i) {
        const void* const item = field.items->at(now, i);
        if (const void* was = former(field, before, item, i))
            keep(field.type(), was, const_cast<void*>(item));
    }
}

void keep(const Type& type, const void* before, void* now) {
    type.extras(now) = type.extras(before);
    for (const Field& field : type.fields) {
        if (field.kind == Kind::kObject) keep(field.type(), field.of(before), field.of(now));
        if (field.kind == Kind::kOptional || field.kind == Kind::kObjects)
            keep_items(field, field.of(before), field.of(now));
    }
}

}  // namespace
}  // namespace json

VmSpec without_extras(VmSpec spec) {
    json::drop(json::type_of<VmSpec>(), &spec);
    return spec;
}

void keep_extras(const VmSpec& before, VmSpec& now) {
    json::keep(json::type_of<VmSpec>(), &before, &now);
}

}  // namespace blixard::model
