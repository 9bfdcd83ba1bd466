#include "api/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/mutant.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

constexpr std::string_view kKnownParameters[] = {
    "project", "limit", "after",   "label",  "phase",     "node",  "fields",
    "prefix",  "wait",  "timeout", "name",   "force",     "bytes", "timeout_s",
    "from",    "type",  "dry_run", "sha256", "consistent"};

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

void Call::send(Response response) {
    response.route = route;
    if (response.status == 201 && !location.empty())
        response.headers.emplace_back("Location", location);
    responder->send(std::move(response));
}

void Call::refuse(const Error& error) {
    Response response = problem(error, status_of(error));
    if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
    send(std::move(response));
}

int status_of(const Error& error) {
    if (error.code == ErrorCode::kConflict && error.field == kIfMatchField) return 412;
    if (error.code == ErrorCode::kExhausted && error.field.starts_with(kQuotaField)) return 403;
    return http_status(error.code);
}

Status check_query_names(const Request& request) {
    for (const auto& [name, value] : request.query) {
        if (std::find(std::begin(kKnownParameters), std::end(kKnownParameters), name) !=
            std::end(kKnownParameters))
            continue;
        return fail_field(name, "there is no such query parameter",
                          "see GET /v1/openapi.json for what each operation takes");
    }
    return {};
}

Result<std::string> project_of(const Request& request, bool all) {
    const std::string* project = request.find_query("project");
    if (!project || project->empty()) return std::string(model::kDefaultProject);
    if (*project == "*") {
        if (all) return *project;
        return fail_field("project", "\"*\" stands for all projects, and one is needed here",
                          "name the project: ?project=NAME");
    }
    RETURN_IF_ERROR(model::validate_name(*project, "project"));
    return *project;
}

Result<bool> flag_of(const Request& request, std::string_view name) {
    const std::string* value = request.find_query(name);
    if (!value || *value == "false" || *value == "0") return false;
    if (value->empty() || *value == "true" || *value == "1") return true;
    return fail_field(std::string(name),
                      fmt::format("must be true or false, found \"{}\"", *value));
}

Result<std::int64_t> number_of(const Request& request, std::string_view name, std::int64_t min,
                               std::int64_t max, std::int64_t otherwise) {
    const std::string* value = request.find_query(name);
    if (!value) return otherwise;
    const std::optional<std::int64_t> number = parse_number(*value);
    if (number && *number >= min && *number <= max) return *number;
    return fail_field(
        std::string(name),
        fmt::format("must be a whole number from {} to {}, found \"{}\"", min, max, *value));
}

Result<std::optional<store::Revision>> if_match_of(const Request& request) {
    std::string_view text = request.if_match;
    if (text.empty() || text == "*") return std::nullopt;
    const bool quoted = text.size() > 2 && text.front() == '"' && text.back() == '"';
    const auto revision = quoted ? parse_number(text.substr(1, text.size() - 2)) : std::nullopt;
    if (revision) return revision;
    return fail_field(std::string(kIfMatchField),
                      fmt::format("\"{}\" is not one revision in quotes", text),
                      "send back the ETag of the document, as it came");
}

Status check_if_match(std::optional<store::Revision> seen, store::Revision written,
                      std::string_view what) {
    if (mutant(MutantId::kIfMatchIgnored)) return {};
    if (!seen || *seen >= written) return {};
    return fail(Error{ErrorCode::kConflict,
                      fmt::format("{} was changed at revision {}; you have seen revision {}", what,
                                  written, *seen),
                      std::string(kIfMatchField),
                      "read it again, and make your change to what you find"});
}

}  // namespace blixard::api
