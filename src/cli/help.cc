// Help texts, made from the commands' own data.
#include <fmt/format.h>

#include "cli/command.h"

namespace blixard::cli {
namespace {

struct Group {
    std::string_view title;
    std::vector<std::string_view> nouns;
};

const std::vector<Group>& groups() {
    static const std::vector<Group> kGroups{
        {"Virtual machines",
         {"launch", "list", "show", "start", "stop", "restart", "pause", "resume", "delete", "edit",
          "console", "logs", "apply"}},
        {"What they need", {"image", "volume", "project"}},
        {"What goes on", {"events", "operation", "why", "why-not", "plan", "rebalance"}},
        {"Hosts", {"node", "cluster", "failover", "doctor", "debug"}},
        {"This program", {"completion", "version"}},
    };
    return kGroups;
}

std::string two_columns(const std::vector<std::pair<std::string, std::string>>& rows) {
    std::size_t width = 0;
    for (const auto& [left, right] : rows)
        if (left.size() <= 32) width = std::max(width, left.size());
    std::string out;
    for (const auto& [left, right] : rows) {
        if (left.size() > width)
            out += fmt::format("  {}\n  {:{}}  {}\n", left, "", width, right);
        else
            out += fmt::format("  {:{}}  {}\n", left, width, right);
    }
    return out;
}

std::string options_text(const std::vector<Option>& options) {
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Option& option : options) rows.emplace_back(option_label(option), option.help);
    return two_columns(rows);
}

}  // namespace

std::string option_label(const Option& option) {
    bool has_short = !option.names.starts_with("--");
    std::string label =
        has_short ? option.names.substr(0, 2) + ", --" + option.key() : "    --" + option.key();
    if (!option.value.empty()) label += " " + option.value;
    return label;
}

std::string usage_line(const Command& command) {
    std::string line = "blixard " + command.path;
    for (const Positional& positional : command.positionals) {
        std::string name = positional.name + (positional.many ? "..." : "");
        line += positional.required ? " " + name : " [" + name + "]";
    }
    if (!command.options.empty()) line += " [options]";
    return line;
}

std::string overview(const std::vector<Command>& commands, const Colours& colours) {
    std::string out =
        "Blixard runs virtual machines on this host, and makes one cloud of several.\n\n"
        "Usage: blixard [--socket PATH | --host HOST:PORT] COMMAND [options]\n";
    for (const Group& group : groups()) {
        std::vector<std::pair<std::string, std::string>> rows;
        for (std::string_view noun : group.nouns) {
            std::vector<std::string> verbs;
            for (const Command& command : commands) {
                if (command.path == noun) rows.emplace_back(std::string(noun), command.summary);
                if (command.path.starts_with(std::string(noun) + " "))
                    verbs.push_back(command.path.substr(noun.size() + 1));
            }
            if (!verbs.empty())
                rows.emplace_back(std::string(noun), fmt::format("{}", fmt::join(verbs, ", ")));
        }
        if (group.title == "This program")
            rows.insert(rows.begin(),
                        {{"daemon", "run the daemon (blixard daemon --help)"},
                         {"sim", "try a cluster in simulation (blixard sim --help)"}});
        out += "\n" + colours.bold(group.title) + "\n" + two_columns(rows);
    }
    out += "\n" + colours.bold("Options of every command") + "\n" + options_text(global_options());
    out +=
        "\nStart here:\n"
        "  blixard image build-demo\n"
        "  blixard launch demo web-1\n"
        "  blixard console web-1\n"
        "\nMore on one command: blixard COMMAND --help. All of them: docs/CLI.md.\n";
    return out;
}

std::string noun_help(const std::vector<Command>& commands, std::string_view noun,
                      const Colours& colours) {
    std::vector<std::pair<std::string, std::string>> rows;
    std::string examples;
    for (const Command& command : commands) {
        if (!command.path.starts_with(std::string(noun) + " ")) continue;
        rows.emplace_back(usage_line(command).substr(8), command.summary);
        if (!command.examples.empty()) examples += "  " + command.examples.front() + "\n";
    }
    return fmt::format("Usage: blixard {} COMMAND [options]\n\n{}\n{}\n{}\n{}", noun,
                       colours.bold("Commands"), two_columns(rows), colours.bold("Examples"),
                       examples);
}

std::string command_help(const Command& command, const Colours& colours) {
    std::string out = fmt::format("Usage: {}\n\n{}.\n", usage_line(command), command.summary);
    if (!command.details.empty()) out += "\n" + command.details + "\n";
    std::vector<std::pair<std::string, std::string>> rows;
    for (const Positional& positional : command.positionals)
        rows.emplace_back(positional.name, positional.help);
    if (!rows.empty()) out += "\n" + colours.bold("Arguments") + "\n" + two_columns(rows);
    if (!command.options.empty())
        out += "\n" + colours.bold("Options") + "\n" + options_text(command.options);
    out += "\n" + colours.bold("Options of every command") + "\n" + options_text(global_options());
    if (!command.examples.empty()) {
        out += "\n" + colours.bold("Examples") + "\n";
        for (const std::string& example : command.examples) out += "  " + example + "\n";
    }
    return out;
}

}  // namespace blixard::cli
