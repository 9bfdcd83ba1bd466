// What a refused request looks like. Refused -> Result; impossible -> ASSERT; not yet -> a state
// with a reason.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace blixard {

// Why something was refused. The API maps each code to one HTTP status, the CLI to one exit code.
enum class ErrorCode : std::uint8_t {
    kInvalid,          // the request itself is wrong; asking again cannot help
    kUnauthenticated,  // nobody we know
    kDenied,           // known, but not allowed
    kNotFound,
    kExists,          // already there
    kConflict,        // a precondition (revision, phase) does not hold now
    kExhausted,       // quota, capacity, disk or a bounded queue is full
    kUnavailable,     // not now; asking again may help, and the request has NOT happened
    kUnknownOutcome,  // the request may or may not have happened; ask again only where that is safe
    kTimeout,         // the wait ended; what was asked for goes on
    kCompacted,       // the revision asked for is no longer kept
    kUnsupported,     // not supported here
    kTooLarge,
    kCancelled,
    kInternal,  // our fault
};

// "invalid", "not-found", ...: stable, used on the wire.
std::string_view error_code_name(ErrorCode code);

// An error says what was asked, what was found, and what would help.
struct Error {
    ErrorCode code = ErrorCode::kInternal;
    std::string message;  // what was asked and what was found
    std::string field;  // JSON path of the offending field ("spec.cpus"), empty where there is none
    std::string help;   // what would help, empty where we do not know

    bool operator==(const Error&) const = default;
};

template <class T>
using Result = tl::expected<T, Error>;

// Success without a value.
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string help = {}) {
    return tl::unexpected<Error>(Error{code, std::move(message), {}, std::move(help)});
}

inline tl::unexpected<Error> fail_field(std::string field, std::string message,
                                        std::string help = {}) {
    return tl::unexpected<Error>(
        Error{ErrorCode::kInvalid, std::move(message), std::move(field), std::move(help)});
}

inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

// One line for people: "message (field spec.cpus); help".
std::string describe(const Error& error);

// Called exactly once, on the executor that the callee names.
template <class T>
using Callback = std::function<void(Result<T>)>;

}  // namespace blixard

// RETURN_IF_ERROR(expr): hands the error of a Result or Status on to the caller.
#define BLIXARD_CONCAT_(a, b) a##b
#define BLIXARD_CONCAT(a, b) BLIXARD_CONCAT_(a, b)
#define RETURN_IF_ERROR(expr)                                       \
    do {                                                            \
        if (auto status_ = (expr); !status_)                        \
            return tl::make_unexpected(std::move(status_.error())); \
    } while (0)
// ASSIGN_OR_RETURN(auto x, expr): x becomes the value, or the error is handed on.
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_(BLIXARD_CONCAT(result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_(tmp, lhs, expr)                         \
    auto tmp = (expr);                                            \
    if (!tmp) return tl::make_unexpected(std::move(tmp.error())); \
    lhs = std::move(*tmp)
