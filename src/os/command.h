// Runs a program to its end and keeps what it said. Blocking: for worker threads.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/process.h"

namespace blixard::os {

struct CommandOutput {
    ExitStatus exit;
    std::string output;  // standard output, at most kCommandOutputMax
    std::string errors;  // standard error, likewise
};
inline constexpr std::size_t kCommandOutputMax = 1u << 20;

// kTimeout (and the program killed) after `limit`. A program that fails is a success of this call.
Result<CommandOutput> run_command(const std::vector<std::string>& arguments, Millis limit);

// The standard output; an error with the last lines of standard error where the status is not 0.
Result<std::string> run_checked(const std::vector<std::string>& arguments, Millis limit);

}  // namespace blixard::os
