#include "base/result.h"

namespace blixard {

std::string_view error_code_name(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalid: return "invalid";
        case ErrorCode::kUnauthenticated: return "unauthenticated";
        case ErrorCode::kDenied: return "denied";
        case ErrorCode::kNotFound: return "not-found";
        case ErrorCode::kExists: return "already-exists";
        case ErrorCode::kConflict: return "conflict";
        case ErrorCode::kExhausted: return "exhausted";
        case ErrorCode::kUnavailable: return "unavailable";
        case ErrorCode::kUnknownOutcome: return "unknown-outcome";
        case ErrorCode::kTimeout: return "timeout";
        case ErrorCode::kCompacted: return "compacted";
        case ErrorCode::kUnsupported: return "unsupported";
        case ErrorCode::kTooLarge: return "too-large";
        case ErrorCode::kCancelled: return "cancelled";
        case ErrorCode::kInternal: return "internal";
    }
    return "internal";
}

std::string describe(const Error& error) {
    std::string text = error.message;
    if (!error.field.empty()) text += " (field " + error.field + ")";
    if (!error.help.empty()) text += "; " + error.help;
    return text;
}

}  // namespace blixard
