#include "model/merge_patch.h"

#include <algorithm>
#include <unordered_map>

#include "model/json_dom.h"
#include "model/json_writer.h"

namespace blixard::model {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kFieldPathsMax = 64;  // of one ?fields=

template <class List, class Write>
void append_each(const List& list, char open, char close, std::string& out, Write write) {
    out += open;
    bool first = true;
    for (const auto item : list) {
        if (!first) out += ',';
        first = false;
        write(item);
    }
    out += close;
}

// As it stands, without spaces. (simdjson's own minify() goes through a stream: dozens of
// allocations.)
void append(element value, std::string& out) {
    using simdjson::dom::element_type;
    switch (value.type()) {
        case element_type::ARRAY:
            return append_each(value.get_array().value_unsafe(), '[', ']', out,
                               [&](element item) { append(item, out); });
        case element_type::OBJECT:
            return append_each(value.get_object().value_unsafe(), '{', '}', out,
                               [&](const simdjson::dom::key_value_pair& member) {
                                   json::append_string(member.key, out);
                                   out += ':';
                                   append(member.value, out);
                               });
        case element_type::STRING:
            return json::append_string(value.get_string().value_unsafe(), out);
        case element_type::INT64: return json::append_number(value.get_int64().value_unsafe(), out);
        case element_type::BOOL: out += value.get_bool().value_unsafe() ? "true" : "false"; return;
        case element_type::NULL_VALUE: out += "null"; return;
        default:
            out += static_cast<std::string>(simdjson::minify(value));
            return;  // numbers as simdjson writes them
    }
}

void append_key(std::string_view key, bool& first, std::string& out) {
    if (!first) out += ',';
    first = false;
    json::append_string(key, out);
    out += ':';
}

// The patch on its own: what merging it into nothing gives (its nulls go).
void append_without_nulls(element patch, std::string& out) {
    object members;
    if (patch.get(members) != simdjson::SUCCESS) return append(patch, out);
    out += '{';
    bool first = true;
    for (const auto [key, value] : members) {
        if (value.is_null()) continue;
        append_key(key, first, out);
        append_without_nulls(value, out);
    }
    out += '}';
}

void append_merged(element target, element patch, std::string& out) {
    object changes;
    object members;
    if (patch.get(changes) != simdjson::SUCCESS || target.get(members) != simdjson::SUCCESS)
        return append_without_nulls(patch, out);
    std::unordered_map<std::string_view, element> pending;
    for (const auto [key, value] : changes) pending.emplace(key, value);
    out += '{';
    bool first = true;
    for (const auto [key, value] : members) {
        const auto change = pending.find(key);
        if (change != pending.end() && change->second.is_null()) continue;
        append_key(key, first, out);
        if (change == pending.end())
            append(value, out);
        else
            append_merged(value, change->second, out);
        if (change != pending.end()) pending.erase(change);
    }
    for (const auto [key, value] : changes) {
        if (value.is_null() || !pending.contains(key)) continue;
        append_key(key, first, out);
        append_without_nulls(value, out);
    }
    out += '}';
}

// Wanted members as a tree, so that each level of a document is walked once.
struct Selection {
    std::string_view name;
    std::vector<Selection> children;
    bool whole = false;  // everything below

    Selection& child(std::string_view wanted) {
        for (Selection& known : children)
            if (known.name == wanted) return known;
        return children.emplace_back(Selection{wanted, {}, false});
    }
    const Selection* find(std::string_view wanted) const {
        for (const Selection& known : children)
            if (known.name == wanted) return &known;
        return nullptr;
    }
};

Selection select(const std::vector<std::string>& paths) {
    Selection root;
    for (const std::string_view path : paths) {
        Selection* here = &root;
        std::size_t start = 0;
        while (start <= path.size()) {
            const std::size_t dot = std::min(path.find('.', start), path.size());
            here = &here->child(path.substr(start, dot - start));
            start = dot + 1;
        }
        here->whole = true;
    }
    return root;
}

// False, and nothing appended, where `value` has nothing of what is wanted.
bool append_selected(element value, const Selection& wanted, std::string& out);

bool append_selected_members(object members, const Selection& wanted, std::string& out) {
    const std::size_t start = out.size();
    out += '{';
    bool first = true;
    for (const auto [key, value] : members) {
        const Selection* below = wanted.find(key);
        if (!below) continue;
        const std::size_t before = out.size();
        const bool was_first = first;
        append_key(key, first, out);
        if (append_selected(value, *below, out)) continue;
        out.resize(before);
        first = was_first;
    }
    out += '}';
    if (first) out.resize(start);
    return !first;
}

bool append_selected(element value, const Selection& wanted, std::string& out) {
    if (wanted.whole) {
        append(value, out);
        return true;
    }
    object members;
    if (value.get(members) == simdjson::SUCCESS)
        return append_selected_members(members, wanted, out);
    simdjson::dom::array list;
    if (value.get(list) != simdjson::SUCCESS) return false;
    out += '[';
    bool first = true;
    for (const element child : list) {
        if (!first) out += ',';
        first = false;
        if (!append_selected(child, wanted, out)) out += "{}";
    }
    out += ']';
    return true;
}

}  // namespace

Result<std::string> merge_patch(std::string_view target, std::string_view patch) {
    ASSIGN_OR_RETURN(const auto before, json::Dom::parse(target));
    ASSIGN_OR_RETURN(const auto change, json::Dom::parse(patch));
    RETURN_IF_ERROR(json::check_plain(change.root(), json::Path{}));
    std::string merged;
    merged.reserve(target.size() + patch.size());
    append_merged(before.root(), change.root(), merged);
    return merged;
}

Result<std::string> select_member(std::string_view document, std::string_view path) {
    ASSIGN_OR_RETURN(const auto dom, json::Dom::parse(document));
    element here = dom.root();
    std::size_t start = 0;
    while (start <= path.size()) {
        const std::size_t dot = std::min(path.find('.', start), path.size());
        if (here.at_key(path.substr(start, dot - start)).get(here) != simdjson::SUCCESS)
            return fail(Error{ErrorCode::kNotFound,
                              "the document has no member at this path",
                              std::string(path),
                              {}});
        start = dot + 1;
    }
    std::string text;
    append(here, text);
    return text;
}

std::string select_fields(std::string_view document, const std::vector<std::string>& paths) {
    std::string selected;
    const auto dom = json::Dom::parse(document);
    object members;
    if (!dom || dom->root().get(members) != simdjson::SUCCESS ||
        !append_selected_members(members, select(paths), selected))
        return "{}";
    return selected;
}

Result<std::vector<std::string>> parse_field_paths(std::string_view text) {
    std::vector<std::string> paths;
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        const std::string_view path = text.substr(start, comma - start);
        const bool empty_part = path.empty() || path.front() == '.' || path.back() == '.' ||
                                path.find("..") != std::string_view::npos;
        if (empty_part)
            return fail_field(
                "fields", "\"" + std::string(path) + "\" is not a path",
                "write paths with dots, commas between them: fields=name,phase,spec.cpus");
        if (paths.size() == kFieldPathsMax)
            return fail_field("fields", "more than " + std::to_string(kFieldPathsMax) + " paths");
        paths.emplace_back(path);
        start = comma + 1;
    }
    return paths;
}

}  // namespace blixard::model
