// docs/CLI.md, made from the commands' own data: blixard __reference > docs/CLI.md
#include "cli/reference.h"

#include <fmt/format.h>

#include "cli/context.h"

namespace blixard::cli {
namespace {

constexpr std::string_view kIntroduction = R"(# The command line

`blixard COMMAND [options]`. Every command but `daemon`, `doctor`, `completion` and `version` needs a running daemon.

This page is made from the program itself: `blixard __reference > docs/CLI.md`; a test compares the two.

## Finding the daemon

First of: `--socket PATH` or `--host HOST:PORT`; the variables below; `/run/blixard/blixard.sock`. The socket is open to root and to the
group `blixard`.

## Environment

| variable | meaning |
|---|---|
| `BLIXARD_SOCKET` | the daemon's unix socket |
| `BLIXARD_HOST` | a daemon that listens on TCP: `HOST:PORT` |
| `BLIXARD_PROJECT` | the project, where `--project` is not given (default `default`) |
| `BLIXARD_TOOLS` | where `make_guest.sh` is, for `image build-demo` |
| `EDITOR`, `VISUAL` | the editor of `edit` |
| `NO_COLOR` | no colours, whatever the terminal |
| `TMPDIR` | where `edit` and `image build-demo` keep what they work on |

## Exit codes

| code | meaning |
|---|---|
| 0 | done |
| 1 | another failure: a VM has failed instead of running, a program that is needed cannot be started |
| 2 | the command line is wrong, or a file that it names cannot be read |
| 3 | not found |
| 4 | refused: invalid, in conflict, there already, no room or quota, not supported |
| 5 | denied |
| 6 | no daemon answers, or it cannot serve now |
| 7 | the wait is over; what was asked for goes on |

Errors go to stderr as `error:` with what was asked and found, `field:` with the path of what is wrong, and `help:`.

## Output

`-o table` (default) and `-o wide` are for people; `-o json`, `-o yaml` and `-o name` for programs. Lists are `{"items": [...]}` in JSON, one
document each in YAML, one name a line with `-o name`; what `-o yaml` prints, `apply -f` takes. Results go to stdout; progress, hints and errors to
stderr. `events -o json` prints one document a line.

Sizes are binary: `512M`, `2G`, `1.5G`, `1T`; a bare number is MiB. Time spans: `30s`, `2m`, `1h30m`; a bare number is seconds.
)";

std::string escaped(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c == '|') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string section(const Command& command) {
    std::string text = fmt::format("\n### {}\n\n{}.\n\n`{}`\n", command.path, command.summary,
                                   usage_line(command));
    if (!command.details.empty()) text += "\n" + command.details + "\n";
    if (!command.options.empty()) {
        text += "\n| option | |\n|---|---|\n";
        for (const Option& option : command.options) {
            std::string label = option_label(option);
            text +=
                fmt::format("| `{}` | {} |\n", escaped(label.substr(label.find_first_not_of(' '))),
                            escaped(option.help));
        }
    }
    if (!command.examples.empty()) {
        text += "\n```\n";
        for (const std::string& example : command.examples) text += example + "\n";
        text += "```\n";
    }
    return text;
}

}  // namespace

std::string reference_page() {
    std::string text(kIntroduction);
    text += "\n## Options of every command\n\n| option | |\n|---|---|\n";
    for (const Option& option : global_options()) {
        std::string label = option_label(option);
        text += fmt::format("| `{}` | {} |\n", label.substr(label.find_first_not_of(' ')),
                            escaped(option.help));
    }
    text += "\n## Commands\n";
    for (const Command& command : all_commands())
        if (!command.hidden) text += section(command);
    return text;
}

std::vector<Command> reference_commands() {
    Command command;
    command.path = "__reference";
    command.hidden = true;
    command.run = [](Context& context, const Args&) -> Outcome {
        context.out(reference_page());
        return {};
    };
    return {command};
}

}  // namespace blixard::cli
