// Text to struct, by the struct's table.
#include <algorithm>
#include <array>

#include "model/json_dom.h"
#include "model/type.h"

namespace blixard::model::json {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

// Distance of two words (Levenshtein), for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

std::string known_members(const Type& type, std::string_view unknown) {
    const Field* near = nullptr;
    std::size_t best = 3;  // two typing errors at most
    for (const Field& field : type.fields) {
        if (unknown.size() > 64) break;
        if (field.name.starts_with(unknown) && unknown.size() > 2) near = &field;
        if (const std::size_t d = distance(unknown, field.name); d < best) {
            best = d;
            near = &field;
        }
    }
    if (near) return "did you mean \"" + std::string(near->name) + "\"?";
    std::string help = "known here: ";
    for (const Field& field : type.fields) {
        if (&field != &type.fields.front()) help += ", ";
        help += field.name;
    }
    return help;
}

std::string shortened(std::string_view text) {
    std::string shown;
    for (const char c : text.substr(0, 64)) shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    if (text.size() > 64) {
        while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xC0u) == 0x80u)
            shown.pop_back();
        shown += "...";
    }
    return shown;
}

// Reads one document. The first thing that is wrong stops it and is kept as `error`.
class Reader {
 public:
    Reader(Mode mode, const Unknown* kept) : mode_(mode), kept_(kept) {}

    Error error;

    bool read_object(const Type& type, void* object, element value, const Path* path);

 private:
    bool refuse(const Path* path, std::string message, std::string help = {}) {
        error = {ErrorCode::kInvalid, std::move(message), path->text(), std::move(help)};
        return false;
    }
    bool refuse_kind(const Path* path, std::string_view wanted, element value) {
        return refuse(path, "must be " + std::string(wanted) + ", found " + describe_value(value));
    }
    bool read_unknown(const Type& type, void* object, std::string_view key, element value,
                      const Path& path);
    bool read_field(const Field& field, void* member, element value, const Path& path);
    bool read_int(std::int64_t& target, element value, const Path& path);
    bool read_double(double& target, element value, const Path& path);
    bool read_string(std::string& target, element value, const Path& path);
    bool read_short(ShortText& target, element value, const Path& path);
    bool read_enum(const Field& field, std::uint8_t& target, element value, const Path& path);
    bool read_strings(std::vector<std::string>& target, element value, const Path& path);
    bool read_ints(std::vector<std::int64_t>& target, element value, const Path& path);
    bool read_map(std::map<std::string, std::string>& target, element value, const Path& path);
    bool read_objects(const Field& field, void* list, element value, const Path& path);
    bool read_json(std::string& target, element value, const Path& path);

    bool is_kept(const Type& type, std::string_view key, element value) const {
        return kept_ &&
               std::find(kept_->begin(), kept_->end(),
                         UnknownMember{&type, std::string(key),
                                       std::string(simdjson::minify(value))}) != kept_->end();
    }

    Mode mode_;
    const Unknown* kept_;
};

constexpr std::size_t kListItemsMax = 100000;  // of any list or map, whatever its type says

bool Reader::read_object(const Type& type, void* object, element value, const Path* path) {
    simdjson::dom::object members;
    if (value.get(members) != simdjson::SUCCESS) return refuse_kind(path, "an object", value);
    std::uint64_t seen = 0;
    std::size_t expected = 0;  // members mostly come in the table's order
    for (const auto [key, child] : members) {
        const Path here{path, key};
        std::size_t index = expected;
        if (index >= type.fields.size() || type.fields[index].name != key) {
            index = 0;
            while (index < type.fields.size() && type.fields[index].name != key) ++index;
        }
        if (index == type.fields.size()) {
            if (!read_unknown(type, object, key, child, here)) return false;
            continue;
        }
        if (seen >> index & 1u) return refuse(&here, "this member is given twice");
        seen |= std::uint64_t{1} << index;
        expected = index + 1;
        const Field& field = type.fields[index];
        if (!read_field(field, field.of(object), child, here)) return false;
    }
    return true;
}

bool Reader::read_unknown(const Type& type, void* object, std::string_view key, element value,
                          const Path& path) {
    if (mode_ == Mode::kStrict && !is_kept(type, key, value))
        return refuse(&path, "there is no member \"" + shortened(key) + "\"",
                      known_members(type, key));
    if (key.find('\0') != std::string_view::npos)
        return refuse(&path, "a member's name may not contain NUL");
    auto& extras = type.extras(object).members;
    for (const auto& [known, json] : extras)
        if (known == key) return refuse(&path, "this member is given twice");
    if (auto plain = check_plain(value, path); !plain) {
        error = plain.error();
        return false;
    }
    extras.emplace_back(std::string(key), std::string(simdjson::minify(value)));
    return true;
}

bool Reader::read_field(const Field& field, void* member, element value, const Path& path) {
    switch (field.kind) {
        case Kind::kBool:
            if (value.get(*static_cast<bool*>(member)) == simdjson::SUCCESS) return true;
            return refuse_kind(&path, "true or false", value);
        case Kind::kInt: return read_int(*static_cast<std::int64_t*>(member), value, path);
        case Kind::kDouble: return read_double(*static_cast<double*>(member), value, path);
        case Kind::kString: return read_string(*static_cast<std::string*>(member), value, path);
        case Kind::kShort: return read_short(*static_cast<ShortText*>(member), value, path);
        case Kind::kEnum: return read_enum(field, *static_cast<std::uint8_t*>(member), value, path);
        case Kind::kStrings:
            return read_strings(*static_cast<std::vector<std::string>*>(member), value, path);
        case Kind::kInts:
            return read_ints(*static_cast<std::vector<std::int64_t>*>(member), value, path);
        case Kind::kMap:
            return read_map(*static_cast<std::map<std::string, std::string>*>(member), value, path);
        case Kind::kObject: return read_object(field.type(), member, value, &path);
        case Kind::kOptional:
            if (value.is_null()) return true;  // absent
            return read_object(field.type(), field.items->append(member), value, &path);
        case Kind::kObjects: return read_objects(field, member, value, path);
        case Kind::kJson: return read_json(*static_cast<std::string*>(member), value, path);
    }
    return false;
}

bool Reader::read_int(std::int64_t& target, element value, const Path& path) {
    if (value.type() == element_type::INT64) return value.get(target) == simdjson::SUCCESS;
    if (value.type() == element_type::UINT64)
        return refuse(&path, "must be at most 9223372036854775807, found " +
                                 std::string(simdjson::minify(value)));
    return refuse_kind(&path, "a whole number", value);
}

bool Reader::read_double(double& target, element value, const Path& path) {
    if (value.get(target) == simdjson::SUCCESS) return true;
    return refuse_kind(&path, "a number", value);
}

bool Reader::read_short(ShortText& target, element value, const Path& path) {
    std::string text;
    if (!read_string(text, value, path)) return false;
    if (text.size() > ShortText::kBytesMax)
        return refuse(&path, "must have at most " + std::to_string(ShortText::kBytesMax) +
                                 " bytes, found " + std::to_string(text.size()));
    target = text;
    return true;
}

bool Reader::read_string(std::string& target, element value, const Path& path) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) return refuse_kind(&path, "a string", value);
    if (text.find('\0') != std::string_view::npos)
        return refuse(&path, "a string may not contain NUL");
    target.assign(text);
    return true;
}

bool Reader::read_enum(const Field& field, std::uint8_t& target, element value, const Path& path) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS)
        for (std::size_t i = 0; i < field.names.size(); ++i)
            if (field.names[i] == text) {
                target = static_cast<std::uint8_t>(i);
                return true;
            }
    std::string wanted = "one of ";
    for (const std::string_view name : field.names) {
        if (name != field.names.front()) wanted += ", ";
        wanted += '"' + std::string(name) + '"';
    }
    return refuse_kind(&path, wanted, value);
}

bool Reader::read_strings(std::vector<std::string>& target, element value, const Path& path) {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return refuse_kind(&path, "a list of strings", value);
    for (const element child : list) {
        const Path here{&path, {}, target.size()};
        if (target.size() == kListItemsMax) return refuse(&path, "has more than 100000 elements");
        if (!read_string(target.emplace_back(), child, here)) return false;
    }
    return true;
}

bool Reader::read_ints(std::vector<std::int64_t>& target, element value, const Path& path) {
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS)
        return refuse_kind(&path, "a list of whole numbers", value);
    for (const element child : list) {
        const Path here{&path, {}, target.size()};
        if (target.size() == kListItemsMax) return refuse(&path, "has more than 100000 elements");
        if (!read_int(target.emplace_back(), child, here)) return false;
    }
    return true;
}

bool Reader::read_map(std::map<std::string, std::string>& target, element value, const Path& path) {
    simdjson::dom::object members;
    if (value.get(members) != simdjson::SUCCESS)
        return refuse_kind(&path, "an object whose members are strings", value);
    for (const auto [key, child] : members) {
        const Path here{&path, key};
        if (target.size() == kListItemsMax) return refuse(&path, "has more than 100000 members");
        if (key.find('\0') != std::string_view::npos)
            return refuse(&here, "a member's name may not contain NUL");
        const auto [place, is_new] = target.try_emplace(std::string(key));
        if (!is_new) return refuse(&here, "this member is given twice");
        if (!read_string(place->second, child, here)) return false;
    }
    return true;
}

bool Reader::read_objects(const Field& field, void* list, element value, const Path& path) {
    simdjson::dom::array elements;
    if (value.get(elements) != simdjson::SUCCESS)
        return refuse_kind(&path, "a list of objects", value);
    std::size_t index = 0;
    for (const element child : elements) {
        const Path here{&path, {}, index};
        if (index++ == kListItemsMax) return refuse(&path, "has more than 100000 elements");
        if (!read_object(field.type(), field.items->append(list), child, &here)) return false;
    }
    return true;
}

bool Reader::read_json(std::string& target, element value, const Path& path) {
    if (value.is_string()) return read_string(target, value, path);
    if (!value.is_object()) return refuse_kind(&path, "an object", value);
    if (auto plain = check_plain(value, path); !plain) {
        error = plain.error();
        return false;
    }
    target = simdjson::minify(value);
    return true;
}

}  // namespace

void collect_unknown(const Type& type, const void* object, Unknown& into) {
    for (const auto& [name, json] : type.extras(object).members)
        into.push_back({&type, name, json});
    for (const Field& field : type.fields) {
        const void* const member = field.of(object);
        if (field.kind == Kind::kObject) collect_unknown(field.type(), member, into);
        if (field.kind != Kind::kOptional && field.kind != Kind::kObjects) continue;
        for (std::size_t i = 0; i < field.items->size(member); ++i)
            collect_unknown(field.type(), field.items->at(member, i), into);
    }
}

Result<void> parse_object(const Type& type, std::string_view text, Mode mode, void* object,
                          const Unknown* kept) {
    ASSIGN_OR_RETURN(const Dom dom, Dom::parse(text));
    Reader reader(mode, kept);
    const Path root;
    if (!reader.read_object(type, object, dom.root(), &root)) return fail(std::move(reader.error));
    return {};
}

}  // namespace blixard::model::json
