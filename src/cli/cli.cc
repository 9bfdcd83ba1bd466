#include "cli/cli.h"

#include <cstdlib>
#include <exception>

#include "os/clock.h"

namespace blixard::cli {
namespace {

int report(Screen& screen, const Failure& failure) {
    screen.err(render_error(failure.error, screen.err_colours));
    return failure.exit_code;
}

void show_help(Screen& screen, const std::vector<Command>& commands, const Chosen& chosen) {
    if (chosen.command)
        screen.out(command_help(*chosen.command, screen.out_colours));
    else if (!chosen.noun.empty())
        screen.out(noun_help(commands, chosen.noun, screen.out_colours));
    else
        screen.out(overview(commands, screen.out_colours));
}

int run_command(const std::vector<std::string>& words, Screen& screen, const Clock& clock,
                const Environment& environment) {
    const std::vector<Command> commands = all_commands();
    auto chosen = choose_command(commands, words);
    if (!chosen) return report(screen, Failure(chosen.error(), kExitUsage));
    if (chosen->help) {
        show_help(screen, commands, *chosen);
        return kExitOk;
    }
    auto args = parse_args(*chosen->command, chosen->words);
    if (!args) return report(screen, Failure(args.error(), kExitUsage));
    Context context(screen, clock, environment);
    if (Outcome configured = context.configure(chosen->command->raw ? Args{} : *args); !configured)
        return report(screen, configured.error());
    Outcome outcome = chosen->command->run(context, *args);
    return outcome ? kExitOk : report(screen, outcome.error());
}

// What was asked for is done, but who asked has not been told.
int report_lost(Screen& screen, int code) {
    if (code != kExitOk || screen.lost().empty()) return code;
    return report(
        screen,
        Failure(
            Error{ErrorCode::kInternal, "the output cannot be written: " + screen.lost(), {}, {}},
            kExitOther));
}

}  // namespace

int run_words(const std::vector<std::string>& words, Screen& screen, const Clock& clock,
              const Environment& environment) {
    return report_lost(screen, run_command(words, screen, clock, environment));
}

int run(int argc, char** argv) {
    TerminalScreen screen;
    try {
        std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
        os::SystemClock clock;
        return run_words(words, screen, clock, [](std::string_view name) {
            const char* value = std::getenv(std::string(name).c_str());
            return std::string(value ? value : "");
        });
    } catch (const std::exception& exception) {
        screen.err(std::string("error: ") + exception.what() + "\n");
        return kExitOther;
    }
}

}  // namespace blixard::cli
