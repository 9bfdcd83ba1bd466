#include "cli/command.h"

#include <fmt/format.h>

#include "base/assert.h"

namespace blixard::cli {
namespace {

bool is_daemon_verb(std::string_view word) {
    return word == "daemon" || word == "watchdog" || word == "sim";
}

std::string last_long_name(const Option& option) {
    std::size_t at = option.names.rfind("--");
    ASSERT(at != std::string::npos);
    return option.names.substr(at);
}

// Whether `word` is a global option, and whether its value is the next word.
bool is_global(std::string_view word, bool& value_follows) {
    std::string_view name = word.substr(0, word.find('='));
    for (const Option& option : global_options()) {
        bool is_short = option.names.starts_with('-') && option.names[1] != '-';
        bool same = name == last_long_name(option);
        if (is_short && word.substr(0, 2) == option.names.substr(0, 2) && !word.starts_with("--")) {
            value_follows = !option.value.empty() && word.size() == 2;
            return true;
        }
        if (same) {
            value_follows = !option.value.empty() && word.find('=') == std::string_view::npos;
            return true;
        }
    }
    return false;
}

std::vector<std::string> first_words(const std::vector<Command>& commands) {
    std::vector<std::string> words{"daemon", "help"};
    for (const Command& command : commands)
        if (!command.hidden) words.push_back(command.path.substr(0, command.path.find(' ')));
    return words;
}

std::vector<std::string> verbs_of(const std::vector<Command>& commands, std::string_view noun) {
    std::vector<std::string> verbs;
    for (const Command& command : commands)
        if (command.path.starts_with(std::string(noun) + " "))
            verbs.push_back(command.path.substr(noun.size() + 1));
    return verbs;
}

Error unknown(std::string_view what, std::string_view word, const std::vector<std::string>& known,
              std::string_view help_command) {
    std::string near = nearest(word, known);
    std::string message = fmt::format("unknown {} \"{}\"", what, word);
    if (!near.empty()) message += fmt::format("; did you mean \"{}\"?", near);
    return {ErrorCode::kInvalid,
            std::move(message),
            {},
            fmt::format("see them all with: {}", help_command)};
}

const Command* find_command(const std::vector<Command>& commands, std::string_view path) {
    for (const Command& command : commands)
        if (command.path == path) return &command;
    return nullptr;
}

}  // namespace

std::string Option::key() const { return last_long_name(*this).substr(2); }

std::string Args::get(std::string_view key, std::string_view absent) const {
    auto found = values_.find(key);
    return found == values_.end() ? std::string(absent) : found->second.back();
}

const std::vector<std::string>& Args::all(std::string_view key) const {
    static const std::vector<std::string> kNone;
    auto found = values_.find(key);
    return found == values_.end() ? kNone : found->second;
}

std::vector<Command> all_commands() {
    std::vector<Command> all;
    for (auto noun : {launch_commands,   vm_commands,     edit_commands,       console_commands,
                      logs_commands,     events_commands, apply_commands,      image_commands,
                      volume_commands,   node_commands,   project_commands,    operation_commands,
                      why_commands,      plan_commands,   cluster_commands,    failover_commands,
                      doctor_commands,   debug_commands,  completion_commands, version_commands,
                      reference_commands})
        for (Command& command : noun()) all.push_back(std::move(command));
    return all;
}

std::vector<Option> global_options() {
    return {
        {"--socket",
         "PATH",
         "the daemon's unix socket (BLIXARD_SOCKET; default /run/blixard/blixard.sock)",
         false,
         {},
         Offer::kFile},
        {"--host", "HOST:PORT", "a daemon that listens on TCP (BLIXARD_HOST)"},
        {"-o,--output",
         "FORMAT",
         "table, wide, json, yaml or name",
         false,
         {"table", "wide", "json", "yaml", "name"}},
        {"-h,--help", "", "show help"},
    };
}

std::vector<Option> wait_options(std::string_view default_timeout) {
    return {
        {"--wait", "", "wait until it is done (the default)"},
        {"--no-wait", "", "return as soon as it is accepted"},
        {"--timeout", "SPAN",
         fmt::format("how long to wait: 90s, 2m (default {})", default_timeout)},
    };
}

std::vector<Option> project_options() {
    return {{"-p,--project",
             "PROJECT",
             "the project (BLIXARD_PROJECT; default \"default\")",
             false,
             {},
             Offer::kProject}};
}

std::vector<Option> joined(std::vector<Option> first, const std::vector<Option>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

Result<Chosen> choose_command(const std::vector<Command>& commands,
                              const std::vector<std::string>& words) {
    Chosen chosen;
    std::vector<std::string> front;  // global options before the command
    std::size_t at = 0;
    for (bool value_follows = false;
         at < words.size() && words[at].starts_with('-') && words[at] != "-";) {
        if (words[at] == "-h" || words[at] == "--help") {
            chosen.help = true;
            ++at;
            continue;
        }
        if (words[at] == "--version")
            return Chosen{find_command(commands, "version"), "version", {}, false};
        if (!is_global(words[at], value_follows)) {
            std::vector<std::string> known{"--help", "--version"};
            for (const Option& option : global_options()) known.push_back(last_long_name(option));
            return fail(unknown("option", words[at], known, "blixard help"));
        }
        front.push_back(words[at++]);
        if (value_follows && at < words.size()) front.push_back(words[at++]);
    }
    if (at < words.size() && words[at] == "help") {
        chosen.help = true;
        ++at;
    }
    if (at == words.size()) {
        chosen.help = true;
        return chosen;
    }
    std::string noun = words[at++];
    chosen.noun = noun;
    if (noun == "ls" || noun == "ps") noun = "list";
    if (noun == "rm") noun = "delete";
    if (noun == "vm" && at < words.size() && !words[at].starts_with('-')) noun = words[at++];
    chosen.command = find_command(commands, noun);
    std::vector<std::string> verbs = verbs_of(commands, noun);
    if (!chosen.command && !verbs.empty()) {
        if (at == words.size() || words[at] == "-h" || words[at] == "--help" ||
            words[at] == "help") {
            chosen.help = true;
            return chosen;
        }
        std::string verb = words[at++];
        if (verb == "ls") verb = "list";
        if (verb == "rm") verb = "delete";
        chosen.command = find_command(commands, noun + " " + verb);
        if (!chosen.command)
            return fail(unknown(noun + " command", verb, verbs, "blixard " + noun + " --help"));
    }
    if (!chosen.command && is_daemon_verb(noun))
        return fail(ErrorCode::kUnsupported,
                    fmt::format("this build of the program has no \"{}\"", noun));
    if (!chosen.command)
        return fail(unknown("command", noun, first_words(commands), "blixard help"));
    chosen.words.assign(words.begin() + static_cast<std::ptrdiff_t>(at), words.end());
    if (!chosen.command->raw) {
        for (const std::string& word : chosen.words) {
            if (word == "--") break;
            if (word == "-h" || word == "--help") chosen.help = true;
        }
        chosen.words.insert(chosen.words.begin(), front.begin(), front.end());
    }
    return chosen;
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& candidate : words) {
        // Two letters are half of a short word: "wait" is no "edit", "lsit" is "list".
        constexpr std::size_t kShort = 4;
        if (word.size() <= kShort && word.substr(0, 1) != candidate.substr(0, 1)) continue;
        // Levenshtein's distance, one row at a time.
        std::vector<std::size_t> row(candidate.size() + 1);
        for (std::size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
        for (std::size_t i = 1; i <= word.size(); ++i) {
            std::size_t diagonal = row[0];
            row[0] = i;
            for (std::size_t j = 1; j <= candidate.size(); ++j) {
                std::size_t above = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1,
                                   diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1)});
                diagonal = above;
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    return best;
}

}  // namespace blixard::cli
