// logs: what the VM's serial console has shown.
#include "cli/logs.h"

#include <fmt/format.h>

#include <thread>

#include "cli/context.h"
#include "cli/units.h"

namespace blixard::cli {
namespace {

constexpr std::int64_t kLogBytes = 1 << 20;       // looked at without -f
constexpr std::int64_t kFollowBytes = 256 << 10;  // looked at each time with -f
constexpr Millis kFollowPoll = Millis{300};
constexpr std::size_t kOverlapBytes =
    4096;  // so much of the last look is found again in the next one

Result<std::string> read_log(Context& context, const std::string& name, std::int64_t bytes) {
    Query query = context.in_project();
    query.emplace_back("bytes", std::to_string(bytes));
    return context.remote().get_text(resource("/v1/vms", name) + "/log", query);
}

// To a terminal without what would drive it; to a file or another program byte by byte.
void show(Context& context, std::string_view text) {
    context.out(context.screen.out_is_tty() ? printable_page(text) : std::string(text));
}

Outcome follow(Context& context, const std::string& name, std::string before) {
    while (true) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kFollowPoll.count));
        ASSIGN_OR_RETURN(std::string now, read_log(context, name, kFollowBytes));
        show(context, new_part(before, now));
        before = std::move(now);
    }
}

Outcome logs(Context& context, const Args& args) {
    std::string name = args.get("name");
    std::size_t lines = SIZE_MAX;
    if (args.has("lines")) {
        auto number = parse_integer(args.get("lines"), 0, 1'000'000);
        if (!number) return usage_of("--lines", number.error());
        lines = static_cast<std::size_t>(*number);
    }
    ASSIGN_OR_RETURN(std::string text, read_log(context, name, kLogBytes));
    std::string_view shown = last_lines(text, lines);
    show(context, shown);
    if (args.has("follow")) return follow(context, name, std::move(text));
    if (!shown.empty() && shown.back() != '\n') context.out("\n");
    return {};
}

}  // namespace

std::string_view last_lines(std::string_view text, std::size_t lines) {
    if (lines == 0) return {};
    std::size_t at = text.size();
    if (at > 0 && text.back() == '\n') --at;
    for (; lines > 0; --lines) {
        if (at == 0) return text;
        at = text.rfind('\n', at - 1);
        if (at == std::string_view::npos) return text;
    }
    return text.substr(at + 1);
}

std::string_view new_part(std::string_view before, std::string_view now) {
    if (before.empty()) return now;
    std::string_view tail = before.substr(before.size() - std::min(before.size(), kOverlapBytes));
    std::size_t at = now.rfind(tail);
    return at == std::string_view::npos ? now : now.substr(at + tail.size());
}

std::vector<Command> logs_commands() {
    return {{"logs",
             "Show what a VM's serial console has said",
             "",
             {"blixard logs web-1", "blixard logs web-1 -n 20", "blixard logs web-1 -f"},
             {{"NAME", "the VM", true, false, Offer::kVm}},
             joined({{"-f,--follow", "", "go on with what comes"},
                     {"-n,--lines", "N", "only the last N lines"}},
                    project_options()),
             logs}};
}

}  // namespace blixard::cli
