// About the daemon itself: health, version, metrics, the page of the API; and the event stream.
#include <fmt/format.h>

#include "api/operations.h"
#include "api/reply.h"
#include "model/json_writer.h"
#include "model/openapi.h"

namespace blixard::api {
namespace {

void send_text(Call& call, int status, std::string text) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    call.send(std::move(response));
}

}  // namespace

void open_events(Core& core, const CallPtr& call) { core.events.open(call); }

void get_openapi(Core& core, const CallPtr& call) {
    if (core.openapi.empty()) core.openapi = model::openapi_document(core.settings.version);
    Response response;
    response.body = core.openapi;
    call->send(std::move(response));
}

void get_version(Core& core, const CallPtr& call) {
    const Settings& settings = core.settings;
    Response response;
    model::json::Writer writer(response.body);
    writer.begin_object()
        .member("version", std::string_view(settings.version))
        .member("commit", std::string_view(settings.commit))
        .member("node", std::string_view(settings.node))
        .member("store", std::string_view(settings.store));
    if (!settings.cluster_id.empty())
        writer.member("cluster", std::string_view(settings.cluster_id));
    writer.end_object();
    call->send(std::move(response));
}

void get_metrics(Core& core, const CallPtr& call) {
    if (!core.deps.metrics) return refuse_unsupported(*call, "metrics", "");
    Response response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    core.deps.metrics->append(response.body);
    call->send(std::move(response));
}

void get_debug_record(Core& core, const CallPtr& call) {
    if (!core.deps.debug) return refuse_unsupported(*call, "the record of inputs", "");
    core.deps.debug->record([call](Result<std::string> record) {
        if (!record) return call->refuse(record.error());
        Response response;
        response.content_type = "application/octet-stream";
        response.body = std::move(*record);
        call->send(std::move(response));
    });
}

void get_health(Core&, const CallPtr& call) { send_text(*call, 200, "ok\n"); }

void get_readiness(Core& core, const CallPtr& call) {
    if (!core.started) return send_text(*call, 503, "the state has not been read yet\n");
    if (core.pulse.stale())
        return send_text(
            *call, 503,
            fmt::format("the store has not answered for {} s\n", core.pulse.age().count / 1000));
    send_text(*call, 200, fmt::format("ready at revision {}\n", core.state()->revision));
}

}  // namespace blixard::api
