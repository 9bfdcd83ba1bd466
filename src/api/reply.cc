#include "api/reply.h"

#include <fmt/format.h>

#include "model/json_writer.h"
#include "model/merge_patch.h"
#include "model/requests.h"

namespace blixard::api {
namespace {

// RFC 9110, 13.1.2: weak comparison, a list, or "*".
bool has_already(std::string_view if_none_match, std::string_view tag) {
    return if_none_match == "*" || if_none_match.find(tag) != std::string_view::npos;
}

}  // namespace

std::string etag(store::Revision revision) { return fmt::format("\"{}\"", revision); }

void add_revision(Response& response, store::Revision revision) {
    response.headers.emplace_back("X-Blixard-Revision", fmt::format_int(revision).str());
}

void send_document(Call& call, int status, const Found& found, store::Revision state_revision) {
    Response response;
    response.status = status;
    if (const std::string* fields = call.request.find_query("fields")) {
        const auto paths = model::parse_field_paths(*fields);
        if (!paths) return call.refuse(paths.error());
        response.body = model::select_fields(*found.document, *paths);
    } else {
        response.shared_body = found.document;
    }
    response.headers.reserve(4);
    response.headers.emplace_back("ETag", etag(found.revision));
    add_revision(response, state_revision);
    call.send(std::move(response));
}

void send_found(Call& call, const Found& found, store::Revision state_revision) {
    const std::string& seen = call.request.if_none_match;
    if (seen.empty() || !has_already(seen, etag(found.revision)))
        return send_document(call, 200, found, state_revision);
    Response response;
    response.status = 304;
    response.headers.emplace_back("ETag", etag(found.revision));
    add_revision(response, state_revision);
    call.send(std::move(response));
}

void send_gone(Call& call, const Subject& subject, const std::string& uid,
               store::Revision state_revision) {
    Response response;
    model::json::Writer writer(response.body);
    writer.begin_object().member("kind", kind_name(subject.kind));
    if (!subject.project.empty()) writer.member("project", std::string_view(subject.project));
    writer.member("name", std::string_view(subject.name));
    if (!uid.empty()) writer.member("uid", std::string_view(uid));
    writer.member("deleted", true).member("revision", state_revision).end_object();
    add_revision(response, state_revision);
    call.send(std::move(response));
}

std::string location_of(const Subject& subject) {
    std::string path = fmt::format("/v1/{}s/{}", kind_name(subject.kind), subject.name);
    if (!subject.project.empty() && subject.project != model::kDefaultProject)
        path += "?project=" + subject.project;
    return path;
}

}  // namespace blixard::api
