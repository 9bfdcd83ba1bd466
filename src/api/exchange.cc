#include "api/exchange.h"

#include <fmt/format.h>

namespace blixard::api {
namespace {

// Bytes that follow a UTF-8 lead byte, and the smallest code point that needs so many (RFC 3629: no
// overlong forms).
std::size_t sequence_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead < 0xE0) return 2;
    if (lead >= 0xE0 && lead < 0xF0) return 3;
    if (lead >= 0xF0 && lead < 0xF5) return 4;
    return 0;
}

bool is_sequence(std::string_view text, std::size_t at, std::size_t length) {
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t i = 1; i < length; ++i)
        if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return false;
    return true;
}

// Messages quote what the client sent, so they may hold anything: what is not UTF-8 becomes U+FFFD.
void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        const std::size_t length = sequence_length(byte);
        if (!is_sequence(text, at, length)) {
            out += "\xEF\xBF\xBD";
            ++at;
            continue;
        }
        if (byte == '"' || byte == '\\') {
            out += '\\';
            out += text[at];
        } else if (byte < 0x20 || byte == 0x7F) {
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
        } else {
            out += text.substr(at, length);
        }
        at += length;
    }
    out += '"';
}

std::string_view title(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalid: return "The request is not valid";
        case ErrorCode::kUnauthenticated: return "Who asks is not known";
        case ErrorCode::kDenied: return "Not allowed";
        case ErrorCode::kNotFound: return "Not found";
        case ErrorCode::kExists: return "Already there";
        case ErrorCode::kConflict: return "In conflict with the present state";
        case ErrorCode::kExhausted: return "No room left";
        case ErrorCode::kUnavailable: return "Not available now";
        case ErrorCode::kUnknownOutcome: return "May or may not have happened";
        case ErrorCode::kTimeout: return "The wait ended";
        case ErrorCode::kCompacted: return "No longer kept";
        case ErrorCode::kUnsupported: return "Not supported";
        case ErrorCode::kTooLarge: return "Too large";
        case ErrorCode::kCancelled: return "Cancelled";
        case ErrorCode::kInternal: return "A fault of ours";
    }
    return "A fault of ours";
}

}  // namespace

int http_status(ErrorCode code) {
    switch (code) {
        case ErrorCode::kInvalid: return 400;
        case ErrorCode::kUnauthenticated: return 401;
        case ErrorCode::kDenied: return 403;
        case ErrorCode::kNotFound: return 404;
        case ErrorCode::kExists: return 409;
        case ErrorCode::kConflict: return 409;
        case ErrorCode::kExhausted: return 507;
        case ErrorCode::kUnavailable: return 503;
        case ErrorCode::kUnknownOutcome: return 503;
        case ErrorCode::kTimeout: return 504;
        case ErrorCode::kCompacted: return 410;
        case ErrorCode::kUnsupported: return 501;
        case ErrorCode::kTooLarge: return 413;
        case ErrorCode::kCancelled: return 499;
        case ErrorCode::kInternal: return 500;
    }
    return 500;
}

Response problem(const Error& error) { return problem(error, http_status(error.code)); }

Response problem(const Error& error, int status) {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    std::string& body = response.body;
    const std::string_view code = error_code_name(error.code);
    body = fmt::format(R"({{"type":"about:blank#{}","title":"{}","status":{},"detail":)", code,
                       title(error.code), status);
    append_json_text(body, error.message);
    body += fmt::format(R"(,"code":"{}")", code);
    if (!error.field.empty()) {
        body += R"(,"field":)";
        append_json_text(body, error.field);
    }
    if (!error.help.empty()) {
        body += R"(,"help":)";
        append_json_text(body, error.help);
    }
    body += '}';
    return response;
}

}  // namespace blixard::api
