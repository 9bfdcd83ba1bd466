// version: of this program and of the daemon.
#include <fmt/format.h>

#include "cli/cli.h"
#include "cli/context.h"
#include "cli/print.h"

namespace blixard::cli {
namespace {

constexpr Millis kVersionTimeout = seconds(3);

Outcome version(Context& context, const Args& args) {
    Value document = Value::object({{"client", Value::object({{"version", kVersion}})}});
    Result<Value> daemon = fail(ErrorCode::kUnavailable, "not asked");
    if (!args.has("client")) daemon = context.remote().get("/v1/version", {}, kVersionTimeout);
    if (daemon) document.set("daemon", *daemon);
    print_one(
        context, document,
        [&] {
            std::string text = fmt::format("blixard {}\n", kVersion);
            if (args.has("client")) return text;
            if (!daemon)
                return text + fmt::format("daemon: {}\n", printable(daemon.error().message));
            text += fmt::format("daemon {} on {}, store {}", daemon->text("version"),
                                daemon->text("node"), daemon->text("store"));
            if (std::string commit = daemon->text("commit"); !commit.empty())
                text += ", commit " + commit;
            return printable(text) + "\n";
        },
        "client.version");
    return {};
}

}  // namespace

std::vector<Command> version_commands() {
    return {{"version",
             "Print the version of this program and of the daemon",
             "",
             {"blixard version", "blixard version --client"},
             {},
             {{"--client", "", "ask no daemon"}},
             version}};
}

}  // namespace blixard::cli
