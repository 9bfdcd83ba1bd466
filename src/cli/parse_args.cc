// The one source that includes CLI11 (a heavy header): a Command becomes a CLI::App for the time of
// one parse.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <deque>

#include "cli/command.h"

namespace blixard::cli {
namespace {

struct Slot {
    std::string key;
    const Option* option = nullptr;  // null: a positional
    CLI::Option* bound = nullptr;
    std::vector<std::string> values;
    std::int64_t count = 0;
};

std::string lower(std::string text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text;
}

std::vector<std::string> long_names(const std::vector<Option>& options) {
    std::vector<std::string> names;
    for (const Option& option : options) names.push_back("--" + option.key());
    return names;
}

Error unexpected_word(const Command& command, const std::vector<Option>& options,
                      const std::string& word) {
    std::string help = "see: blixard " + command.path + " --help";
    if (!word.starts_with('-') || word == "-")
        return {ErrorCode::kInvalid,
                fmt::format("\"{}\" is one word too many; usage: {}", word, usage_line(command)),
                {},
                help};
    std::string near = nearest(word.substr(0, word.find('=')), long_names(options));
    std::string message = fmt::format("blixard {} has no option {}", command.path, word);
    if (!near.empty()) message += fmt::format("; did you mean {}?", near);
    return {ErrorCode::kInvalid, std::move(message), {}, help};
}

Status check_choice(const std::string& name, const std::vector<std::string>& choices,
                    const std::string& value) {
    if (choices.empty()) return {};
    std::string all;
    for (const std::string& choice : choices) {
        if (choice == value) return {};
        all += (all.empty() ? "" : ", ") + choice;
    }
    std::string near = nearest(value, choices);
    return fail(ErrorCode::kInvalid,
                fmt::format("{} cannot be \"{}\"{}", name, value,
                            near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)),
                "one of: " + all);
}

// What cannot be the name of anything is refused here, in the words of the command line: the daemon
// would speak of the paths of its API.
Status check_word(const Positional& positional, const std::string& value) {
    if (value.empty()) return fail(ErrorCode::kInvalid, positional.name + " is empty");
    const bool names_something = positional.offer != Offer::kNothing &&
                                 positional.offer != Offer::kFile &&
                                 positional.offer != Offer::kCommand;
    if (!names_something || value.find('/') == std::string::npos) return {};
    const bool of_a_project = positional.offer == Offer::kVm || positional.offer == Offer::kVolume;
    return fail(ErrorCode::kInvalid,
                fmt::format("\"{}\" cannot be {}: no name holds a slash", value, positional.name),
                of_a_project ? "name the project with --project PROJECT" : "");
}

}  // namespace

Result<Args> parse_args(const Command& command, const std::vector<std::string>& words) {
    Args args;
    if (command.raw) {
        for (const std::string& word : words) args.add("words", word);
        return args;
    }
    std::vector<Option> options = joined(command.options, global_options());
    std::deque<Slot> slots;  // CLI11 keeps references into it
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    for (const Option& option : options) {
        Slot& slot = slots.emplace_back(Slot{option.key(), &option});
        if (option.value.empty())
            slot.bound = app.add_flag(option.names, slot.count);
        else
            slot.bound =
                app.add_option(option.names, slot.values)->expected(1)->allow_extra_args(false);
        if (!option.value.empty()) slot.bound->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    for (const Positional& positional : command.positionals) {
        Slot& slot = slots.emplace_back(Slot{lower(positional.name)});
        slot.bound = app.add_option(slot.key, slot.values);
        slot.bound->expected(positional.many ? -1 : 1)->allow_extra_args(positional.many);
    }
    try {
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    } catch (const CLI::ParseError& error) {
        return fail(ErrorCode::kInvalid, error.what(), "see: blixard " + command.path + " --help");
    }
    for (const std::string& word : app.remaining())
        if (word != "--") return fail(unexpected_word(command, options, word));
    for (const Slot& slot : slots) {
        if (slot.option && slot.option->value.empty() && slot.count > 0) args.add(slot.key, "true");
        if (slot.option && !slot.option->many && slot.values.size() > 1)
            return fail(ErrorCode::kInvalid, fmt::format("--{} is given {} times; once is enough",
                                                         slot.key, slot.values.size()));
        for (const std::string& value : slot.values) {
            if (slot.option)
                RETURN_IF_ERROR(check_choice("--" + slot.key, slot.option->choices, value));
            args.add(slot.key, value);
        }
    }
    for (const Positional& positional : command.positionals) {
        if (positional.required && !args.has(lower(positional.name)))
            return fail(
                ErrorCode::kInvalid,
                fmt::format("{} is missing; usage: {}", positional.name, usage_line(command)),
                "see: blixard " + command.path + " --help");
        for (const std::string& value : args.all(lower(positional.name))) {
            RETURN_IF_ERROR(check_choice(positional.name, positional.choices, value));
            RETURN_IF_ERROR(check_word(positional, value));
        }
    }
    return args;
}

}  // namespace blixard::cli
