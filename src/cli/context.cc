#include "cli/context.h"

#include "cli/units.h"

namespace blixard::cli {
namespace {

Format format_of(std::string_view name) {
    if (name == "wide") return Format::kWide;
    if (name == "json") return Format::kJson;
    if (name == "yaml") return Format::kYaml;
    if (name == "name") return Format::kName;
    return Format::kTable;
}

}  // namespace

Outcome Context::configure(const Args& args) {
    format = format_of(args.get("output", "table"));
    std::string from_environment = env("BLIXARD_PROJECT");
    project = args.get("project", from_environment.empty() ? "default" : from_environment);
    if (project.empty()) return usage("--project is empty");
    if (args.has("wait") && args.has("no-wait"))
        return usage("--wait and --no-wait contradict each other");
    wait = !args.has("no-wait");
    if (args.has("timeout")) {
        auto span = parse_duration(args.get("timeout"));
        if (!span) return usage_of("--timeout", span.error());
        timeout = *span;
    }
    for (const char* option : {"socket", "host"})  // an unset variable must not mean another daemon
        if (args.has(option) && args.get(option).empty())
            return usage(std::string("--") + option + " is empty");
    auto endpoint = choose_endpoint(args.get("socket"), args.get("host"), env("BLIXARD_SOCKET"),
                                    env("BLIXARD_HOST"));
    if (!endpoint) return usage(endpoint.error().message, endpoint.error().help);
    remote_ = std::make_unique<Remote>(*endpoint);
    remote_->on_aged([this](Millis age, std::string_view revision) {
        screen.err("note: the daemon cannot reach the store: what it says may be " +
                   duration_text(age) + " old" +
                   (revision.empty() ? "" : " (revision " + printable(revision) + ")") +
                   ", and nothing can be written\n");
    });
    return {};
}

void Context::note(std::string_view text) {
    if (for_people()) screen.err(text);
}

}  // namespace blixard::cli
