// why, why-not: the scheduler's reasons.
#include <fmt/format.h>

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

// The decision may be embedded as a document or as its JSON text.
Value decision_of(const Value& answer) {
    const Value* inner = answer.find("decision");
    if (!inner) return answer;
    if (!inner->as_string()) return *inner;
    auto parsed = parse_json(*inner->as_string());
    return parsed ? *parsed : Value::object();
}

std::string why_text(const Value& answer, const Colours& colours) {
    Facts facts;
    facts.add("VM", answer.text("vm").empty() ? answer.text("name") : answer.text("vm"));
    facts.add("Phase", answer.text("phase"), phase_tint(answer.text("phase")));
    facts.add("Node", answer.text("node"));
    facts.add("Reason", answer.text("reason"));
    facts.add("Message", answer.text("message"));
    facts.add("Summary", answer.text("summary"));
    Value decision = decision_of(answer);
    std::string text = &decision == &answer ? "" : facts.render(colours);
    return text + decision_text(decision, colours);
}

std::string why_not_text(const Value& answer, const Colours& colours) {
    std::string text;
    if (answer.find("fits"))
        text += answer.flag("fits") ? colours.green("it would fit there") + "\n"
                                    : colours.red("it does not fit there") + "\n";
    if (std::string summary = answer.text("summary"); !summary.empty())
        text += printable(summary) + "\n";
    for (std::string_view list : {"failures", "refusals", "reasons"})
        for (const Value& failure : answer.items(list)) {
            if (failure.as_string())
                text += "  - " + printable(failure.plain()) + "\n";
            else
                text += fmt::format("  - {}: {}\n", printable(failure.text("reason")),
                                    printable(failure.text("detail")));
        }
    for (const Value& remedy : answer.items("would_fit_if"))
        text += "  it would fit with: " + printable(remedy.text("text")) + "\n";
    return text.empty() ? to_yaml(answer) : text;
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
    if (decision.find("score")) facts.add("Score", fmt::format("{:.2f}", decision.real("score")));
    facts.add("Made of", parts_text(decision.items("parts")));
    bool first = true;
    for (const Value& other : decision.items("runners_up")) {
        std::string parts = parts_text(other.items("parts"));
        facts.add(std::exchange(first, false) ? "Next best" : "",
                  fmt::format("{} {:.2f}{}", other.text("host"), other.real("score"),
                              parts.empty() ? "" : " (" + parts + ")"));
    }
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
    facts.add("Error", decision.text("error.message"), Tint::kBad);
    if (std::int64_t revision = decision.number("revision"); revision > 0)
        facts.add("Decided at", fmt::format("revision {}, {} hosts considered", revision,
                                            decision.number("hosts_considered")));
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
