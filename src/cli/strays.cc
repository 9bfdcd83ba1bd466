#include "cli/strays.h"

#include <fmt/format.h>

#include "base/counted.h"
#include "cli/print.h"
#include "cli/units.h"

namespace blixard::cli {
namespace {

Result<Value> ask_strays(Context& context, const std::string& node) {
    return context.remote().get(resource("/v1/nodes", node) + "/stray-disks");
}

View stray_view(WallTime now) {
    View view;
    view.nothing = "no stray disk files: a record of a volume names each";
    view.name_path = "path";
    view.columns = {{"POOL"}, {"SIZE", true}, {"CHANGED", true}, {"FILE"}};
    view.row = [now](const Value& disk) -> std::vector<Cell> {
        return {disk.text("pool"), bytes_text(disk.number("size_bytes")),
                age_text(disk.text("modified_at"), now), disk.text("path")};
    };
    return view;
}

}  // namespace

std::string strays_line(Context& context, const std::string& node) {
    const auto answer = ask_strays(context, node);
    if (!answer || answer->items("items").empty()) return {};
    std::int64_t bytes = 0;
    for (const Value& disk : answer->items("items")) bytes += disk.number("size_bytes");
    return fmt::format("{}, {}, that no volume's record names; see: blixard node strays {}",
                       counted(answer->items("items").size(), "file"), bytes_text(bytes), node);
}

Outcome list_strays(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(const Value answer, ask_strays(context, args.get("name")));
    print_list(context, answer.items("items"), stray_view(context.now()));
    for (const Value& unseen : answer.items("unseen"))
        context.screen.err(fmt::format("note: pool \"{}\" was not looked into: {}\n",
                                       printable(unseen.text("pool")),
                                       printable(unseen.text("reason"))));
    return {};
}

}  // namespace blixard::cli
