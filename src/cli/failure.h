// How a command ends badly, and the exit codes: documented in docs/CLI.md, stable.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/screen.h"

namespace blixard::cli {

enum ExitCode : int {
    kExitOk = 0,
    kExitOther = 1,  // a failure of another kind: the VM failed, an editor that cannot be started
    kExitUsage = 2,  // the command line itself
    kExitNotFound = 3,
    kExitRefused = 4,  // invalid, conflict, exists already, no room, not supported
    kExitDenied = 5,
    kExitUnreachable = 6,  // no daemon there, or it cannot serve now
    kExitTimeout = 7,      // the wait ended; what was asked for goes on
};

// An error of the API or the connection, or of the command line (usage).
struct Failure {
    Error error;
    int exit_code;

    Failure(Error cause);  // the exit code follows from the error's code
    Failure(Error cause, int code) : error(std::move(cause)), exit_code(code) {}
};

using Outcome = tl::expected<void, Failure>;

int exit_code_of(ErrorCode code);

// "--memory: "12X" is not a size"; exit code 2.
tl::unexpected<Failure> usage(std::string message, std::string help = {});
tl::unexpected<Failure> usage_of(std::string_view option, const Error& error);
// What was asked for went wrong in the world: exit code 1.
tl::unexpected<Failure> other_failure(std::string message, std::string help = {});

// Of what says nothing without its field, "must be a whole number", the field is the subject.
Error sentence(Error error);

// "error: ...\n  field: ...\n  help: ...\n"
std::string render_error(const Error& error, const Colours& colours);

}  // namespace blixard::cli
