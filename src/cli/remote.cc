#include "cli/remote.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "cli/websocket.h"

namespace blixard::cli {
namespace {

constexpr std::int64_t kPageItems = 1000;
constexpr int kPagesMax = 100'000;

// A daemon answers in JSON, whatever it is asked: a web server or a proxy answers here.
Error no_daemon(const HttpResponse& response) {
    constexpr std::size_t kShownBytes = 120;
    std::string text = response.body.substr(0, kShownBytes);
    return {ErrorCode::kUnavailable,
            fmt::format("what answers there is no Blixard daemon: it said {}{}{}", response.status,
                        text.empty() ? "" : ": ", text),
            {},
            "look at --host and BLIXARD_HOST, or --socket and BLIXARD_SOCKET"};
}

Result<Value> document_of(Result<HttpResponse> response) {
    if (!response) return fail(response.error());
    if (!response->ok()) return fail(problem_of(*response));
    if (response->body.empty()) return Value{};
    Result<Value> document = parse_json(response->body);
    if (!document && !response->header("Content-Type").starts_with("application/json"))
        return fail(no_daemon(*response));
    return document;
}

HttpRequest with_body(std::string method, std::string target, const Value& body) {
    HttpRequest request{std::move(method), std::move(target), {}, {}};
    if (!body.is_null()) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = to_json(body);
    }
    return request;
}

}  // namespace

std::string resource(std::string_view collection, std::string_view name) {
    return fmt::format("{}/{}", collection, encode_component(name));
}

ErrorCode error_code_of(std::string_view name, int http_status) {
    for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code)
        if (error_code_name(static_cast<ErrorCode>(code)) == name)
            return static_cast<ErrorCode>(code);
    switch (http_status) {
        case 401: return ErrorCode::kUnauthenticated;
        case 403: return ErrorCode::kDenied;
        case 404: return ErrorCode::kNotFound;
        case 409:
        case 412: return ErrorCode::kConflict;
        case 410: return ErrorCode::kCompacted;
        case 413: return ErrorCode::kTooLarge;
        case 501: return ErrorCode::kUnsupported;
        case 502:
        case 503: return ErrorCode::kUnavailable;
        case 504: return ErrorCode::kTimeout;
        case 507: return ErrorCode::kExhausted;
        default: return http_status >= 500 ? ErrorCode::kInternal : ErrorCode::kInvalid;
    }
}

Error problem_of(const HttpResponse& response) {
    auto problem = parse_json(response.body);
    if (!problem || !problem->as_object()) return no_daemon(response);
    std::string detail = problem->text("detail");
    if (detail.empty()) detail = problem->text("title");
    if (detail.empty()) detail = fmt::format("the daemon answered {}", response.status);
    return {error_code_of(problem->text("code"), response.status), std::move(detail),
            problem->text("field"), problem->text("help")};
}

Result<Value> Remote::ask(HttpRequest request, Millis timeout) {
    request.headers.emplace_back("Accept", "application/json");
    auto response = client_.send(request, timeout);
    if (response) look_at_age(*response);
    // Nothing goes on that a question could wait for.
    if (!response && request.method == "GET" && response.error().code == ErrorCode::kTimeout)
        return fail(ErrorCode::kUnavailable, response.error().message,
                    "it runs and does not answer; see its log");
    return document_of(std::move(response));
}

void Remote::look_at_age(const HttpResponse& response) {
    const std::string_view age = response.header("X-Blixard-Age-Ms");
    std::int64_t ms = 0;
    if (age.empty() || !aged_) return;
    if (std::from_chars(age.data(), age.data() + age.size(), ms).ec != std::errc{}) return;
    std::exchange(aged_, nullptr)(Millis{ms}, response.header("X-Blixard-Revision"));
}

Result<Value> Remote::get(const std::string& path, const Query& query, Millis timeout) {
    return ask({"GET", with_query(path, query), {}, {}}, timeout);
}

Result<Value> Remote::post(const std::string& path, const Query& query, const Value& body,
                           Millis timeout) {
    HttpRequest request = with_body("POST", with_query(path, query), body);
    request.headers.emplace_back("Idempotency-Key", websocket_key());  // 128 random bits in base64
    return ask(std::move(request), timeout);
}

Result<Value> Remote::put(const std::string& path, const Query& query, const Value& body,
                          std::int64_t if_revision) {
    HttpRequest request = with_body("PUT", with_query(path, query), body);
    if (if_revision > 0)
        request.headers.emplace_back("If-Match", fmt::format("\"{}\"", if_revision));
    return ask(std::move(request), kAnswerTimeout);
}

Result<Value> Remote::patch(const std::string& path, const Query& query, const Value& body) {
    return ask(with_body("PATCH", with_query(path, query), body), kAnswerTimeout);
}

Result<Value> Remote::remove(const std::string& path, const Query& query) {
    return ask({"DELETE", with_query(path, query), {}, {}}, kAnswerTimeout);
}

Result<std::string> Remote::get_text(const std::string& path, const Query& query) {
    auto response = client_.send({"GET", with_query(path, query), {}, {}});
    if (!response) return fail(response.error());
    look_at_age(*response);
    if (!response->ok()) return fail(problem_of(*response));
    return std::move(response->body);
}

Result<Value::Array> Remote::list(const std::string& path, const Query& query,
                                  std::int64_t* revision) {
    Value::Array items;
    std::string after;
    for (int page = 0; page < kPagesMax; ++page) {
        Query asked = query;
        asked.emplace_back("limit", std::to_string(kPageItems));
        if (!after.empty()) asked.emplace_back("after", after);
        ASSIGN_OR_RETURN(Value answer, get(path, asked));
        Value* list = answer.find("items");
        if (!list || !list->as_array())
            return fail(ErrorCode::kInternal, "the daemon's list has no items");
        for (Value& item : *list->as_array()) items.push_back(std::move(item));
        if (revision) *revision = answer.number("revision");
        after = answer.text("next");
        if (after.empty()) return items;
    }
    return fail(ErrorCode::kInternal, "the daemon's list has no end");
}

Result<Value> Remote::upload(const std::string& path, const Query& query, int fd,
                             std::uint64_t size,
                             const std::function<void(std::uint64_t)>& progress) {
    HttpRequest request{
        "POST", with_query(path, query), {{"Content-Type", "application/octet-stream"}}, {}};
    return document_of(client_.upload(std::move(request), fd, size, progress));
}

}  // namespace blixard::cli
