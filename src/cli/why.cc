// why, why-not: the scheduler's reasons.
#include <fmt/format.h>

#include "base/counted.h"
#include "cli/context.h"
#include "cli/decision_view.h"
#include "cli/print.h"
#include "cli/yaml.h"

namespace blixard::cli {
namespace {

std::string parts_text(const Value::Array& parts) {
    std::string text;
    for (const Value& part : parts)
        text += fmt::format("{}{} {:+.2f}", text.empty() ? "" : ", ", part.text("name"),
                            part.real("points"));
    return text;
}

std::string scored_text(const Value& candidate) {
    const std::string parts = parts_text(candidate.items("parts"));
    return fmt::format("{} {:.2f}{}", candidate.text("host"), candidate.real("score"),
                       parts.empty() ? "" : " (" + parts + ")");
}

// What would be decided now, in a line, for a VM that has a place.
std::string now_text(const Value& now, const std::string& node) {
    if (now.text("outcome") != "placed") return "it would find no place now";
    if (now.text("host") == node) return "the same host";
    return fmt::format("{} (it is not moved for that; see: blixard rebalance --dry-run)",
                       scored_text(now));
}

std::string why_text(const Value& answer, const Colours& colours) {
    const std::string node = answer.text("node");
    Facts facts;
    facts.add("VM", answer.text("vm"));
    facts.add("Phase", answer.text("phase"), phase_tint(answer.text("phase")));
    facts.add("Node", node.empty() ? "none" : node);
    facts.add("Reason", answer.text("reason"));
    facts.add("Decided", answer.text("decided_at"));
    const Value* decided = answer.find("decided");
    const Value* now = answer.find("now");
    if (!node.empty() && now) facts.add("Asked now", now_text(*now, node));
    std::string text = facts.render(colours);
    // Nowhere yet: what stands in the way now, not what stood there when it was written down.
    const Value* shown = node.empty() && now ? now : decided;
    if (shown)
        text += fmt::format("\n{}\n{}",
                            colours.bold(shown == now ? "What is decided now" : "The decision"),
                            decision_text(*shown, colours));
    return text;
}

std::string why_not_text(const Value& answer, const Colours& colours) {
    const std::string node = answer.text("node");
    std::string text;
    if (!answer.flag("fits")) {
        text += colours.red(fmt::format("it does not fit on {}", node)) + "\n";
        for (const Value& failure : answer.items("refusals"))
            text += fmt::format("  - {}: {}\n", printable(failure.text("reason")),
                                printable(failure.text("detail")));
        return text;
    }
    if (answer.number("rank") == 1)
        return colours.green(fmt::format("it fits on {}, which is the best of {} for it now", node,
                                         answer.number("of"))) +
               "\n  " + scored_text(*answer.find("here")) + "\n";
    text += colours.green(fmt::format("it would fit on {}", node)) + "\n";
    if (answer.find("here") && answer.find("best"))
        text += fmt::format("  number {} of {}: {}\n  the best is {}\n", answer.number("rank"),
                            answer.number("of"), scored_text(*answer.find("here")),
                            scored_text(*answer.find("best")));
    return text;
}

Outcome why(Context& context, const Args& args) {
    ASSIGN_OR_RETURN(
        Value answer,
        context.remote().get(resource("/v1/vms", args.get("name")) + "/why", context.in_project()));
    print_one(
        context, answer, [&] { return why_text(answer, context.screen.out_colours); }, "node");
    return {};
}

Outcome why_not(Context& context, const Args& args) {
    Query query = context.in_project();
    query.emplace_back("node", args.get("node"));
    ASSIGN_OR_RETURN(Value answer, context.remote().get(
                                       resource("/v1/vms", args.get("name")) + "/why-not", query));
    print_one(
        context, answer, [&] { return why_not_text(answer, context.screen.out_colours); }, "node");
    return {};
}

}  // namespace

std::string decision_text(const Value& decision, const Colours& colours) {
    Facts facts;
    std::string outcome = decision.text("outcome");
    facts.add("Outcome", outcome, outcome == "placed" ? Tint::kGood : Tint::kBusy);
    facts.add("Host", decision.text("host"));
    facts.add("Strategy", decision.text("strategy"));
    if (!decision.text("host").empty())
        facts.add("Score", fmt::format("{:.2f}", decision.real("score")));
    facts.add("Made of", parts_text(decision.items("parts")));
    bool first = true;
    for (const Value& other : decision.items("runners_up"))
        facts.add(std::exchange(first, false) ? "Next best" : "", scored_text(other));
    first = true;
    for (const Value& refusal : decision.items("refusals"))
        facts.add(std::exchange(first, false) ? "Refused" : "",
                  fmt::format("{} {} by {}: {}{}", refusal.number("hosts"),
                              refusal.number("hosts") == 1 ? "host" : "hosts",
                              refusal.text("reason"), refusal.text("detail"),
                              refusal.text("closest_host").empty()
                                  ? ""
                                  : fmt::format(" (closest: {})", refusal.text("closest_host"))));
    first = true;
    for (const Value& remedy : decision.items("would_fit_if"))
        facts.add(std::exchange(first, false) ? "It would fit with" : "", remedy.text("text"),
                  Tint::kGood);
    first = true;
    for (const Value& victim : decision.items("evictions"))
        facts.add(std::exchange(first, false) ? "Evicts" : "", victim.plain());
    facts.add("Error", decision.text("error"), Tint::kBad);
    if (std::int64_t revision = decision.number("revision"); revision > 0)
        facts.add("Decided at", fmt::format("revision {}, {} considered", revision,
                                            counted(decision.number("hosts_considered"), "host")));
    std::string text = facts.render(colours);
    return text.empty() ? to_yaml(decision) : text;
}

std::vector<Command> why_commands() {
    Positional vm{"NAME", "the VM", true, false, Offer::kVm};
    return {
        {"why",
         "Say why a VM is where it is, or why it is nowhere",
         "For a pending VM: the smallest changes that would let it run.",
         {"blixard why web-1", "blixard why web-1 -o json"},
         {vm},
         project_options(),
         why},
        {"why-not",
         "Say why a VM is not on a certain host",
         "",
         {"blixard why-not web-1 host-b"},
         {vm, {"NODE", "the host", true, false, Offer::kNode}},
         project_options(),
         why_not},
    };
}

}  // namespace blixard::cli
