// The command line: everything but the daemon's own verbs (daemon, watchdog, sim), which main()
// looks at first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"

namespace blixard::cli {

inline constexpr std::string_view kVersion = "0.1.0";

// Runs one command on the process's terminal and environment. The result is the process's exit code
// (docs/CLI.md). One thread; no exception escapes; SIGPIPE keeps what the process does with it.
int run(int argc, char** argv);

// The same with its world given: for tests.
int run_words(const std::vector<std::string>& words, Screen& screen, const Clock& clock,
              const Environment& environment);

}  // namespace blixard::cli
