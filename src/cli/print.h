// Documents to the screen in the format that was asked for.
#pragma once

#include <functional>
#include <string>

#include "cli/context.h"
#include "cli/table.h"
#include "cli/value.h"

namespace blixard::cli {

// How a kind of document looks to people.
struct View {
    std::vector<Column> columns;
    std::function<std::vector<Cell>(const Value&)> row;
    std::string name_path = "name";
    std::string nothing;  // said (on stderr) where a list is empty
};

// A list: a table; or {"items": [...]} as JSON; or one YAML document each; or one name a line.
void print_list(Context& context, const Value::Array& items, const View& view);

// One document. `people` renders it for people.
void print_one(Context& context, const Value& document, const std::function<std::string()>& people,
               std::string_view name_path = "name");

// "2 GiB" style facts out of a document that this program does not know in detail: YAML.
void print_plain(Context& context, const Value& document);

}  // namespace blixard::cli
