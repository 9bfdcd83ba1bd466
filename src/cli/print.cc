#include "cli/print.h"

#include "cli/yaml.h"

namespace blixard::cli {

void print_list(Context& context, const Value::Array& items, const View& view) {
    switch (context.format) {
        case Format::kJson:
            context.out(to_json_pretty(Value::object({{"items", Value(items)}})));
            return;
        case Format::kYaml: {
            std::string text;
            for (const Value& item : items) text += (text.empty() ? "" : "---\n") + to_yaml(item);
            context.out(text);
            return;
        }
        case Format::kName: {
            std::string text;
            for (const Value& item : items) text += printable(item.text(view.name_path)) + "\n";
            context.out(text);
            return;
        }
        case Format::kTable:
        case Format::kWide: break;
    }
    if (items.empty() && !view.nothing.empty()) {
        context.note(view.nothing + "\n");
        return;
    }
    Table table(view.columns);
    for (const Value& item : items) table.row(view.row(item));
    context.out(table.render(context.format == Format::kWide, context.screen.out_colours));
}

void print_one(Context& context, const Value& document, const std::function<std::string()>& people,
               std::string_view name_path) {
    switch (context.format) {
        case Format::kJson: context.out(to_json_pretty(document)); return;
        case Format::kYaml: context.out(to_yaml(document)); return;
        case Format::kName:  // no line for what is in no place, or has no name yet
            if (const std::string name = document.text(name_path); !name.empty())
                context.out(printable(name) + "\n");
            return;
        case Format::kTable:
        case Format::kWide: context.out(people()); return;
    }
}

void print_plain(Context& context, const Value& document) {
    print_one(context, document, [&] { return to_yaml(document); });
}

}  // namespace blixard::cli
