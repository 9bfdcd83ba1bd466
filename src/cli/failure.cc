#include "cli/failure.h"

#include <fmt/format.h>

#include "cli/table.h"

namespace blixard::cli {

int exit_code_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalid:
        case ErrorCode::kExists:
        case ErrorCode::kConflict:
        case ErrorCode::kExhausted:
        case ErrorCode::kCompacted:
        case ErrorCode::kUnsupported:
        case ErrorCode::kTooLarge: return kExitRefused;
        case ErrorCode::kUnauthenticated:
        case ErrorCode::kDenied: return kExitDenied;
        case ErrorCode::kNotFound: return kExitNotFound;
        case ErrorCode::kUnavailable:
        case ErrorCode::kUnknownOutcome: return kExitUnreachable;
        case ErrorCode::kTimeout: return kExitTimeout;
        case ErrorCode::kCancelled:
        case ErrorCode::kInternal: return kExitOther;
    }
    return kExitOther;
}

Failure::Failure(Error cause) : error(std::move(cause)), exit_code(exit_code_of(error.code)) {}

tl::unexpected<Failure> usage(std::string message, std::string help) {
    return tl::unexpected<Failure>(
        Failure(Error{ErrorCode::kInvalid, std::move(message), {}, std::move(help)}, kExitUsage));
}

tl::unexpected<Failure> usage_of(std::string_view option, const Error& error) {
    return usage(fmt::format("{}: {}", option, error.message), error.help);
}

tl::unexpected<Failure> other_failure(std::string message, std::string help) {
    return tl::unexpected<Failure>(
        Failure(Error{ErrorCode::kInternal, std::move(message), {}, std::move(help)}, kExitOther));
}

Error sentence(Error error) {
    const std::string first = error.message.substr(0, error.message.find(' '));
    for (const char* verb : {"is", "must", "has", "needs", "belongs", "may", "stays", "cannot"})
        if (!error.field.empty() && first == verb)
            error.message = std::exchange(error.field, {}) + " " + error.message;
    return error;
}

std::string render_error(const Error& said, const Colours& colours) {
    const Error error = sentence(said);
    std::string out = fmt::format("{} {}\n", colours.red("error:"), printable(error.message));
    if (!error.field.empty()) out += fmt::format("  field: {}\n", printable(error.field));
    if (!error.help.empty())
        out += fmt::format("  {} {}\n", colours.cyan("help:"), printable(error.help));
    return out;
}

}  // namespace blixard::cli
