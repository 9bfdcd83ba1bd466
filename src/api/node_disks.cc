// What only a host can say of its disks: which files no record names. To be looked at by people,
// and deleted by nobody else: a store that has forgotten a volume may be the one that is wrong.
#include "api/operations.h"
#include "model/json_writer.h"

namespace blixard::api {
namespace {

std::string strays_json(const std::string& node, const StrayReport& found) {
    std::string text;
    model::json::Writer writer(text);
    writer.begin_object().member("node", std::string_view(node)).member("items").begin_array();
    for (const auto& [pool, disks] : found.by_pool)
        for (const auto& [uid, disk] : disks)
            writer.begin_object()
                .member("path", std::string_view(disk.path))
                .member("pool", std::string_view(pool))
                .member("size_bytes", static_cast<std::int64_t>(disk.size_bytes))
                .member("modified_at", std::string_view(to_rfc3339(disk.modified)))
                .end_object();
    writer.end_array().member("unseen").begin_array();
    for (const StrayReport::Unseen& unseen : found.unseen)
        writer.begin_object()
            .member("pool", std::string_view(unseen.pool))
            .member("reason", std::string_view(unseen.reason))
            .end_object();
    writer.end_array().end_object();
    return text;
}

}  // namespace

void get_stray_disks(Core& core, const CallPtr& call) {
    const std::string host = call->name;
    if (!core.state()->nodes.find(host)) return call->refuse(not_found({Kind::kNode, {}, host}));
    if (!is_for_here(core, call, host, "its disks are")) return;
    if (!core.deps.disks) return refuse_unsupported(*call, "looking for stray disks", "");
    core.deps.disks->strays([call, host](Result<StrayReport> found) {
        if (!found) return call->refuse(found.error());
        Response response;
        response.body = strays_json(host, *found);
        call->send(std::move(response));
    });
}

}  // namespace blixard::api
