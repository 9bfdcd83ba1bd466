// completion: scripts for the shells; they ask this program itself, so what is offered is never out
// of date.
#include "cli/completion.h"

#include <fmt/format.h>

#include <map>

#include "cli/context.h"
#include "os/command.h"

namespace blixard::cli {
namespace {

constexpr Millis kNamesTimeout =
    Millis{700};  // a shell that hangs at the Tab key is worse than no offer

constexpr std::string_view kBash =
    R"(# blixard completion for bash: source <(blixard completion bash)
_blixard() {
    local IFS=$'\n' line
    COMPREPLY=()
    local offers
    offers=$("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    if [[ $offers == ":files" ]]; then
        compopt -o default 2>/dev/null
        return
    fi
    for line in $offers; do COMPREPLY+=("$line"); done
}
complete -F _blixard blixard
)";

constexpr std::string_view kZsh = R"(#compdef blixard
# blixard completion for zsh: source <(blixard completion zsh)
_blixard() {
    local -a offers
    offers=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ ${offers[1]} == ":files" ]]; then
        _files
    else
        compadd -- "${offers[@]}"
    fi
}
compdef _blixard blixard
)";

constexpr std::string_view kFish =
    R"(# blixard completion for fish: blixard completion fish | source
function __blixard_offers
    set -l words (commandline -opc) (commandline -ct)
    set -l offers ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    if test "$offers" = ":files"
        __fish_complete_path (commandline -ct)
    else
        printf '%s\n' $offers
    end
end
complete -c blixard -f -a '(__blixard_offers)'
)";

std::vector<std::string> starting_with(std::string_view typed, std::vector<std::string> words) {
    std::erase_if(words, [&](const std::string& word) { return !word.starts_with(typed); });
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    return words;
}

std::vector<std::string> offers_for(Offer offer, const std::vector<std::string>& choices,
                                    std::string_view typed, const Names& names) {
    if (!choices.empty()) return starting_with(typed, choices);
    if (offer == Offer::kFile) return {std::string(kOfferFiles)};
    if (offer == Offer::kNothing || offer == Offer::kCommand) return {};
    return starting_with(typed, names(offer));
}

const Option* find_option(const std::vector<Option>& options, std::string_view word) {
    for (const Option& option : options) {
        bool short_name = option.names[1] != '-' && word == option.names.substr(0, 2);
        if (short_name || word == "--" + option.key()) return &option;
    }
    return nullptr;
}

// Where the words lead: the command and the index of its first own word, or the path so far
// ("image").
struct Place {
    const Command* command = nullptr;
    std::string path;
    std::size_t first = 0;
};

Place find_place(const std::vector<Command>& commands, const std::vector<std::string>& words) {
    Place place;
    for (std::size_t i = 0; i + 1 < words.size() && !place.command; ++i) {
        if (words[i].starts_with('-')) {
            const std::vector<Option> globals = global_options();
            const Option* option = find_option(globals, words[i]);
            if (option && !option->value.empty()) ++i;
            continue;
        }
        place.path += (place.path.empty() ? "" : " ") + words[i];
        place.first = i + 1;
        for (const Command& command : commands)
            if (command.path == place.path) place.command = &command;
    }
    return place;
}

std::vector<std::string> next_words(const std::vector<Command>& commands, const std::string& path) {
    std::vector<std::string> next;
    if (path.empty()) next = {"daemon", "help", "sim"};
    std::string prefix = path.empty() ? "" : path + " ";
    for (const Command& command : commands) {
        if (command.hidden || !command.path.starts_with(prefix)) continue;
        std::string rest = command.path.substr(prefix.size());
        next.push_back(rest.substr(0, rest.find(' ')));
    }
    return next;
}

std::vector<std::string> names_from(Context& context, Offer offer) {
    std::string path;
    Query query{{"limit", "1000"}};
    switch (offer) {
        case Offer::kVm: path = "/v1/vms"; break;
        case Offer::kVolume: path = "/v1/volumes"; break;
        case Offer::kImage: path = "/v1/images"; break;
        case Offer::kNode: path = "/v1/nodes"; break;
        case Offer::kProject: path = "/v1/projects"; break;
        case Offer::kOperation: path = "/v1/operations"; break;
        case Offer::kFailover: path = "/v1/failovers"; break;
        case Offer::kNothing:
        case Offer::kFile:
        case Offer::kCommand: return {};
    }
    if (offer == Offer::kVm || offer == Offer::kVolume)
        query.emplace_back("project", context.project);
    auto list = context.remote().get(path, query, kNamesTimeout);
    std::vector<std::string> names;
    if (!list) return names;
    bool by_id = offer == Offer::kOperation || offer == Offer::kFailover;
    for (const Value& item : list->items("items"))
        names.push_back(item.text(by_id ? "id" : "name"));
    return names;
}

bool has_own_options(const std::string& word) { return word == "daemon" || word == "sim"; }

std::string help_of(const std::string& part) {
    auto said = os::run_command({"/proc/self/exe", part, "--help"}, kNamesTimeout);
    return said ? std::move(said->output) : std::string{};
}

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";

// The word behind an option: "DIR" of "--data-dir DIR", "kvm|tcg"; empty where it takes none.
std::string_view value_behind(std::string_view text) {
    if (text.size() < 2 || text[0] != ' ' || text[1] == ' ' || text[1] == '-') return {};
    text.remove_prefix(1);
    return text.substr(0, text.find_first_of(" ]:)\n"));
}

// Each option that a help text names, with the word behind it where it is first named so.
std::map<std::string, std::string> options_in(std::string_view help) {
    std::map<std::string, std::string> options;
    for (std::size_t at = help.find("--"); at != std::string_view::npos; at = help.find("--", at)) {
        std::size_t end = help.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
        end = std::min(end, help.size());
        std::string& value = options[std::string(help.substr(at, end - at))];
        if (value.empty()) value = value_behind(help.substr(end));
        at = end;
    }
    return options;
}

std::vector<std::string> parts_of(std::string_view value) {
    std::vector<std::string> parts(1);
    for (const char c : value)
        if (c == '|')
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

Outcome run_complete(Context& context, const Args& args) {
    std::vector<std::string> words = args.all("words");
    if (!words.empty() && words.front() == "--") words.erase(words.begin());
    if (words.empty()) words.emplace_back();
    // The typed line may name a daemon and a project of its own; the last word is not typed yet.
    Args typed;
    for (std::size_t i = 0; i + 2 < words.size(); ++i)
        for (auto [word, key] : {std::pair{"--socket", "socket"}, std::pair{"--host", "host"},
                                 std::pair{"--project", "project"}, std::pair{"-p", "project"}})
            if (words[i] == word) typed.add(key, words[i + 1]);
    if (Outcome configured = context.configure(typed); !configured) return {};
    const bool own = words.size() > 1 && has_own_options(words.front());
    const std::vector<std::string> offers = own ? complete_from_help(help_of(words.front()), words)
                                                : complete(all_commands(), words, [&](Offer kind) {
                                                      return names_from(context, kind);
                                                  });
    std::string text;
    for (const std::string& offer : offers) text += printable(offer) + "\n";
    context.out(text);
    return {};
}

}  // namespace

std::vector<std::string> complete(const std::vector<Command>& commands,
                                  const std::vector<std::string>& words, const Names& names) {
    const std::string& typed = words.back();
    Place place = find_place(commands, words);
    if (!place.command && !typed.starts_with('-'))
        return starting_with(typed, next_words(commands, place.path));
    std::vector<Option> options =
        place.command ? joined(place.command->options, global_options()) : global_options();
    if (words.size() >= 2) {
        const Option* before = find_option(options, words[words.size() - 2]);
        if (before && !before->value.empty())
            return offers_for(before->offer, before->choices, typed, names);
    }
    if (typed.starts_with('-') || !place.command) {
        std::vector<std::string> labels;
        for (const Option& option : options) labels.push_back("--" + option.key());
        return starting_with(typed, labels);
    }
    std::size_t index = 0;  // of the positional under the cursor
    for (std::size_t i = place.first; i + 1 < words.size(); ++i) {
        const Option* option = find_option(options, words[i]);
        if (option && !option->value.empty())
            ++i;
        else if (!words[i].starts_with('-'))
            ++index;
    }
    const auto& positionals = place.command->positionals;
    if (positionals.empty()) return {};
    if (index >= positionals.size() && !positionals.back().many) return {};
    const Positional& positional = positionals[std::min(index, positionals.size() - 1)];
    return offers_for(positional.offer, positional.choices, typed, names);
}

std::vector<std::string> complete_from_help(std::string_view help,
                                            const std::vector<std::string>& words) {
    const auto options = options_in(help);
    const std::string& typed = words.back();
    const auto before = words.size() < 2 ? options.end() : options.find(words[words.size() - 2]);
    if (before != options.end() && !before->second.empty()) {
        std::vector<std::string> values = parts_of(before->second);
        for (const std::string& value : values)
            if (value == "DIR" || value == "FILE" || value == "PATH")
                return {std::string(kOfferFiles)};
        const bool listed = before->second.find('|') != std::string::npos &&
                            values.front().find_first_not_of(kLower) == std::string::npos;
        return listed ? starting_with(typed, std::move(values)) : std::vector<std::string>{};
    }
    std::vector<std::string> names;
    for (const auto& [name, value] : options) names.push_back(name);
    return starting_with(typed, std::move(names));
}

std::vector<Command> completion_commands() {
    Command script{
        "completion",
        "Print a completion script for a shell",
        "It completes commands, options and the names of what there is.",
        {"source <(blixard completion bash)",
         "blixard completion bash > /etc/bash_completion.d/blixard",
         "blixard completion fish > ~/.config/fish/completions/blixard.fish"},
        {{"SHELL", "bash, zsh or fish", true, false, Offer::kNothing, {"bash", "zsh", "fish"}}},
        {},
        [](Context& context, const Args& args) -> Outcome {
            std::string shell = args.get("shell");
            context.out(shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish);
            return {};
        }};
    Command offers;
    offers.path = "__complete";
    offers.hidden = true;
    offers.raw = true;
    offers.run = run_complete;
    return {script, offers};
}

}  // namespace blixard::cli
