// What a command works with: the screen, the environment, the clock, the daemon. Everything it does
// to the world goes through it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "cli/screen.h"

namespace blixard::cli {

enum class Format : std::uint8_t { kTable, kWide, kJson, kYaml, kName };

// A variable's value; empty where it is not set.
using Environment = std::function<std::string(std::string_view)>;

class Context {
 public:
    Context(Screen& screen_port, const Clock& clock_port, Environment environment)
        : screen(screen_port), clock(clock_port), env(std::move(environment)) {}

    // Reads the global options, --project, --wait and --timeout. The connection is made at the
    // first call.
    Outcome configure(const Args& args);

    Remote& remote() { return *remote_; }
    WallTime now() const { return clock.wall(); }

    // Bare results go to stdout; notes to stderr, and only where a person reads the table form.
    void out(std::string_view text) { screen.out(text); }
    void note(std::string_view text);

    bool for_people() const { return format == Format::kTable || format == Format::kWide; }
    Query in_project() const { return {{"project", project}}; }

    Screen& screen;
    const Clock& clock;
    Environment env;
    Format format = Format::kTable;
    std::string project = "default";
    bool wait = true;
    std::optional<Millis> timeout;  // as given

 private:
    std::unique_ptr<Remote> remote_;
};

}  // namespace blixard::cli
