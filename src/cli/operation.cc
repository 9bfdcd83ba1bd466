// operation: what takes a while, with its progress.
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/units.h"
#include "cli/wait.h"

namespace blixard::cli {
namespace {

constexpr Millis kOperationTimeout = seconds(3600);

std::string progress_of(const Value& operation) {
    std::int64_t done = operation.number("done"), total = operation.number("total");
    std::string unit = operation.text("unit");
    bool bytes = unit == "bytes";
    auto amount = [&](std::int64_t number) {
        return bytes ? bytes_text(number) : std::to_string(number);
    };
    if (done == 0 && total == 0) return "";
    std::string text = total > 0 ? fmt::format("{}/{}", amount(done), amount(total)) : amount(done);
    return bytes || unit.empty() ? text : text + " " + unit;
}

View operation_view(WallTime now) {
    View view;
    view.name_path = "id";
    view.nothing = "no operations";
    view.columns = {{"ID"},       {"KIND"}, {"TARGET"},    {"STATE"},
                    {"PROGRESS"}, {"NODE"}, {"AGE", true}, {"MESSAGE"}};
    view.row = [now](const Value& operation) -> std::vector<Cell> {
        std::string state = operation.text("state");
        return {operation.text("id"),
                operation.text("operation"),
                operation.text("target"),
                {state, phase_tint(state)},
                progress_of(operation),
                operation.text("node"),
                age_text(operation.text("created_at"), now),
                operation.text("message")};
    };
    return view;
}

std::string operation_details(const Value& operation, WallTime now, const Colours& colours) {
    Facts facts;
    facts.add("Id", operation.text("id"));
    facts.add("Kind", operation.text("operation"));
    facts.add("Target", operation.text("target"));
    facts.add("State", operation.text("state"), phase_tint(operation.text("state")));
    facts.add("Progress", progress_of(operation));
    facts.add("Node", operation.text("node"));
    facts.add("Message", operation.text("message"));
    facts.add("Created", age_text(operation.text("created_at"), now) + " ago");
    facts.add("Ended", operation.text("ended_at"));
    return facts.render(colours);
}

Outcome show_operation(Context& context, const Value& operation) {
    print_one(
        context, operation,
        [&] { return operation_details(operation, context.now(), context.screen.out_colours); },
        "id");
    return {};
}

Outcome list(Context& context, const Args&) {
    ASSIGN_OR_RETURN(Value::Array operations, context.remote().list("/v1/operations", {}));
    print_list(context, operations, operation_view(context.now()));
    return {};
}

Outcome show(Context& context, const Args& args) {
    if (args.has("wait")) {
        auto done = wait_for_operation(context, args.get("id"),
                                       context.timeout.value_or(kOperationTimeout));
        if (!done) return tl::unexpected(done.error());
        return show_operation(context, *done);
    }
    ASSIGN_OR_RETURN(Value operation,
                     context.remote().get(resource("/v1/operations", args.get("id"))));
    return show_operation(context, operation);
}

Outcome cancel(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(Value answer,
                     context.remote().remove(resource("/v1/operations", args.get("id")), {}));
    if (context.for_people())
        context.out(fmt::format("operation {}: cancelled\n", args.get("id")));
    else if (!answer.is_null())
        print_one(context, answer, {}, "id");
    return {};
}

}  // namespace

std::vector<Command> operation_commands() {
    std::vector<Positional> one{{"ID", "the operation", true, false, Offer::kOperation}};
    return {
        {"operation list",
         "List what takes a while: imports, drains, moves",
         "",
         {"blixard operation list"},
         {},
         {},
         list},
        {"operation show",
         "Show an operation",
         "",
         {"blixard operation show op-7f3a", "blixard operation show op-7f3a --wait"},
         one,
         {{"--wait", "", "until it has ended"},
          {"--timeout", "SPAN", "how long --wait waits (default 1h)"}},
         show},
        {"operation cancel",
         "Cancel an operation where that is possible",
         "",
         {"blixard operation cancel op-7f3a"},
         one,
         {},
         cancel},
    };
}

}  // namespace blixard::cli
