// Lists and single documents: from the view's snapshot, the store is not asked.
#include <fmt/format.h>

#include "api/operations.h"
#include "api/reply.h"

namespace blixard::api {
namespace {

std::string cache_key(const Request& request) {
    std::string key = request.path;
    for (const auto& [name, value] : request.query) {
        if (name == "consistent") continue;
        key += '\n';
        key += name;
        key += '=';
        key += value;
    }
    return key;
}

void send_list(Call& call, SharedText body, store::Revision revision) {
    Response response;
    const std::string tag = etag(revision);
    if (call.request.if_none_match == tag)
        response.status = 304;
    else
        response.shared_body = std::move(body);
    response.headers.emplace_back("ETag", tag);
    add_revision(response, revision);
    call.send(std::move(response));
}

Result<Subject> subject_of(const Call& call, Kind kind) {
    Subject subject{kind, {}, call.name};
    if (lies_in_project(kind)) {
        ASSIGN_OR_RETURN(subject.project, project_of(call.request));
    }
    return subject;
}

}  // namespace

template <Kind kind>
void list(Core& core, const CallPtr& call) {
    const view::SnapshotPtr state = core.state();
    const std::string key = cache_key(call->request);
    if (SharedText body = core.list_cache.find(key, state->revision))
        return send_list(*call, std::move(body), state->revision);
    const auto query = parse_list(call->request, kind);
    if (!query) return call->refuse(query.error());
    if (const Status there = check_list(*state, *query); !there) return call->refuse(there.error());
    auto body = std::make_shared<const std::string>(list_body(*state, *query));
    core.list_cache.keep(key, state->revision, body);
    send_list(*call, std::move(body), state->revision);
}

template <Kind kind>
void get(Core& core, const CallPtr& call) {
    const auto subject = subject_of(*call, kind);
    if (!subject) return call->refuse(subject.error());
    const view::SnapshotPtr state = core.state();
    const auto found = find(*state, *subject);
    if (!found) return call->refuse(not_there(*state, *subject));
    if constexpr (kind == Kind::kNode)  // what is allocated on it changes without its revision
        send_document(*call, 200, *found, state->revision);
    else
        send_found(*call, *found, state->revision);
}

void get_vm(Core& core, const CallPtr& call) {
    if (!call->request.find_query("wait")) return get<Kind::kVm>(core, call);
    const auto wait = parse_wait(call->request);
    if (!wait) return call->refuse(wait.error());
    if (!*wait) return get<Kind::kVm>(core, call);
    const auto subject = subject_of(*call, Kind::kVm);
    if (!subject) return call->refuse(subject.error());
    const auto found = find(*core.state(), *subject);
    core.waits.add(call, *subject, found ? found->uid : "", **wait, 200);
}

template void list<Kind::kVm>(Core&, const CallPtr&);
template void list<Kind::kNode>(Core&, const CallPtr&);
template void list<Kind::kImage>(Core&, const CallPtr&);
template void list<Kind::kVolume>(Core&, const CallPtr&);
template void list<Kind::kProject>(Core&, const CallPtr&);
template void list<Kind::kOperation>(Core&, const CallPtr&);
template void list<Kind::kFailover>(Core&, const CallPtr&);
template void get<Kind::kNode>(Core&, const CallPtr&);
template void get<Kind::kImage>(Core&, const CallPtr&);
template void get<Kind::kVolume>(Core&, const CallPtr&);
template void get<Kind::kProject>(Core&, const CallPtr&);
template void get<Kind::kOperation>(Core&, const CallPtr&);
template void get<Kind::kFailover>(Core&, const CallPtr&);

}  // namespace blixard::api
