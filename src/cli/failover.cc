// failover: what was brought back elsewhere, and the proof that it could not run twice.
#include <fmt/format.h>

#include "cli/context.h"
#include "cli/print.h"
#include "cli/units.h"

namespace blixard::cli {
namespace {

View failover_view(WallTime now) {
    View view;
    view.name_path = "id";
    view.nothing = "no failovers";
    view.columns = {{"ID"},    {"VM"},          {"FROM"},         {"TO"},
                    {"PROOF"}, {"EPOCH", true}, {"WAITED", true}, {"AGE", true}};
    view.row = [now](const Value& failover) -> std::vector<Cell> {
        return {failover.text("id"),
                failover.text("project") + "/" + failover.text("vm"),
                failover.text("from_node"),
                failover.text("to_node"),
                failover.text("proof"),
                fmt::format("{}->{}", failover.number("old_epoch"), failover.number("new_epoch")),
                duration_text(Millis{failover.number("waited_ms")}),
                age_text(failover.text("decided_at"), now)};
    };
    return view;
}

std::string failover_details(const Value& failover, const Colours& colours) {
    Facts facts;
    facts.add("Id", failover.text("id"));
    facts.add("VM", failover.text("project") + "/" + failover.text("vm"));
    facts.add("From", failover.text("from_node"));
    facts.add("To", failover.text("to_node"));
    facts.add("Epoch",
              fmt::format("{} -> {}", failover.number("old_epoch"), failover.number("new_epoch")));
    facts.add("Proof", failover.text("proof"));
    if (std::int64_t lease = failover.number("lease"); lease != 0)
        facts.add("Lease", fmt::format("{:x}, time to live {}", lease,
                                       duration_text(Millis{failover.number("lease_ttl_ms")})));
    if (std::int64_t revision = failover.number("lease_gone_revision"); revision > 0)
        facts.add("Lease gone", fmt::format("at revision {}, seen {}", revision,
                                            failover.text("lease_gone_seen_at")));
    facts.add("Waited after", duration_text(Millis{failover.number("waited_ms")}));
    facts.add("Fenced by itself", failover.text("self_fence_rule"));
    facts.add("Decided", failover.text("decided_at"));
    return facts.render(colours);
}

}  // namespace

std::vector<Command> failover_commands() {
    auto list = [](Context& context, const Args&) -> Outcome {
        ASSIGN_OR_RETURN(Value::Array failovers, context.remote().list("/v1/failovers", {}));
        print_list(context, failovers, failover_view(context.now()));
        return {};
    };
    auto show = [](Context& context, const Args& args) -> Outcome {
        ASSIGN_OR_RETURN(Value failover,
                         context.remote().get(resource("/v1/failovers", args.get("id"))));
        print_one(
            context, failover,
            [&] { return failover_details(failover, context.screen.out_colours); }, "id");
        return {};
    };
    return {
        {"failover list",
         "List the VMs that were brought back on another host",
         "",
         {"blixard failover list"},
         {},
         {},
         list},
        {"failover show",
         "Show one with the proof that it could not run twice",
         "",
         {"blixard failover show fo-12"},
         {{"ID", "the failover", true, false, Offer::kFailover}},
         {},
         show},
    };
}

}  // namespace blixard::cli
