// What commands there are, as data: parsing, help, completion and docs/CLI.md are all made from it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cli/failure.h"

namespace blixard::cli {

class Context;
class Args;

// What a shell may offer for a value.
enum class Offer : std::uint8_t {
    kNothing,
    kFile,
    kVm,
    kImage,
    kVolume,
    kNode,
    kProject,
    kOperation,
    kFailover,
    kCommand
};

struct Option {
    std::string names;  // "-o,--output"; the last long one is how Args knows it
    std::string value;  // "FORMAT"; empty: a flag
    std::string help;
    bool many = false;  // may be given more than once
    std::vector<std::string> choices{};
    Offer offer = Offer::kNothing;

    std::string key() const;  // "output"
};

struct Positional {
    std::string name;  // "IMAGE"; Args knows it as "image"
    std::string help;
    bool required = true;
    bool many = false;
    Offer offer = Offer::kNothing;
    std::vector<std::string> choices{};
};

struct Command {
    std::string path;                   // "list", "image import"
    std::string summary;                // one line, no full stop
    std::string details;                // paragraphs; may be empty
    std::vector<std::string> examples;  // complete command lines
    std::vector<Positional> positionals;
    std::vector<Option> options;
    std::function<Outcome(Context&, const Args&)> run;
    bool hidden = false;
    bool raw = false;  // takes all words behind it as they are
};

// The values that were given, by option or positional name.
class Args {
 public:
    void add(const std::string& key, std::string value) {
        values_[key].push_back(std::move(value));
    }
    bool has(std::string_view key) const { return values_.contains(key); }
    std::string get(std::string_view key, std::string_view absent = {}) const;
    const std::vector<std::string>& all(std::string_view key) const;

 private:
    std::map<std::string, std::vector<std::string>, std::less<>> values_;
};

// All of them, in the order that help shows. Built anew at each call (it costs microseconds), so
// nothing is global.
std::vector<Command> all_commands();

// The commands of one noun each; every noun's file defines one.
std::vector<Command> launch_commands();
std::vector<Command> vm_commands();
std::vector<Command> edit_commands();
std::vector<Command> console_commands();
std::vector<Command> logs_commands();
std::vector<Command> events_commands();
std::vector<Command> apply_commands();
std::vector<Command> image_commands();
std::vector<Command> volume_commands();
std::vector<Command> node_commands();
std::vector<Command> project_commands();
std::vector<Command> operation_commands();
std::vector<Command> cluster_commands();
std::vector<Command> failover_commands();
std::vector<Command> why_commands();
std::vector<Command> plan_commands();
std::vector<Command> doctor_commands();
std::vector<Command> debug_commands();
std::vector<Command> completion_commands();
std::vector<Command> version_commands();
std::vector<Command> reference_commands();

// Options that every command takes.
std::vector<Option> global_options();
// Ready-made options for those that wait (--wait, --no-wait, --timeout) and for those that live in
// a project.
std::vector<Option> wait_options(std::string_view default_timeout);
std::vector<Option> project_options();
std::vector<Option> joined(std::vector<Option> first, const std::vector<Option>& second);

// Splits the words after the program's name: which command, and its own words (global options in
// front of the command are moved behind it).
struct Chosen {
    const Command* command = nullptr;  // null: none was named, or only a noun
    std::string noun;                  // what was named, for help ("image")
    std::vector<std::string> words;
    bool help = false;  // help was asked for
};
Result<Chosen> choose_command(const std::vector<Command>& commands,
                              const std::vector<std::string>& words);

// The adapter to CLI11. Refusals are about the command line.
Result<Args> parse_args(const Command& command, const std::vector<std::string>& words);

std::string overview(const std::vector<Command>& commands, const Colours& colours);
std::string noun_help(const std::vector<Command>& commands, std::string_view noun,
                      const Colours& colours);
std::string command_help(const Command& command, const Colours& colours);
std::string usage_line(const Command& command);
std::string option_label(const Option& option);  // "-o, --output FORMAT"

// The nearest of `words` by edit distance; empty where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& words);

}  // namespace blixard::cli
