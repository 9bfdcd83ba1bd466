#include "api/routes.h"

#include <optional>

namespace blixard::api {
namespace {

constexpr Route kRoutes[] = {
    {"GET", "/v1/vms", list<Kind::kVm>},
    {"POST", "/v1/vms", create_vm},
    {"GET", "/v1/vms/{name}", get_vm},
    {"PUT", "/v1/vms/{name}", replace_vm},
    {"PATCH", "/v1/vms/{name}", patch_vm},
    {"DELETE", "/v1/vms/{name}", delete_vm},
    {"POST", "/v1/vms/{name}/start", start_vm},
    {"POST", "/v1/vms/{name}/stop", stop_vm},
    {"POST", "/v1/vms/{name}/restart", restart_vm},
    {"POST", "/v1/vms/{name}/pause", pause_vm},
    {"POST", "/v1/vms/{name}/resume", resume_vm},
    {"GET", "/v1/vms/{name}/log", get_vm_log},
    {"GET", "/v1/vms/{name}/console", open_vm_console},
    {"GET", "/v1/vms/{name}/usage", get_vm_usage},
    {"GET", "/v1/vms/{name}/why", explain_vm},
    {"GET", "/v1/vms/{name}/why-not", explain_vm_not_on_node},

    {"GET", "/v1/nodes", list<Kind::kNode>},
    {"GET", "/v1/nodes/{name}", get<Kind::kNode>},
    {"PATCH", "/v1/nodes/{name}", patch_node},
    {"DELETE", "/v1/nodes/{name}", delete_node},
    {"POST", "/v1/nodes/{name}/cordon", cordon_node},
    {"POST", "/v1/nodes/{name}/uncordon", uncordon_node},
    {"POST", "/v1/nodes/{name}/drain", drain_node},
    {"POST", "/v1/nodes/{name}/lost", declare_node_lost},
    {"GET", "/v1/nodes/{name}/stray-disks", get_stray_disks},

    {"POST", "/v1/blobs", upload_without_stream},
    {"GET", "/v1/blobs/{sha256}", get_blob},
    {"GET", "/v1/images", list<Kind::kImage>},
    {"POST", "/v1/images", create_image},
    {"GET", "/v1/images/{name}", get<Kind::kImage>},
    {"DELETE", "/v1/images/{name}", delete_image},

    {"GET", "/v1/volumes", list<Kind::kVolume>},
    {"POST", "/v1/volumes", create_volume},
    {"GET", "/v1/volumes/{name}", get<Kind::kVolume>},
    {"PATCH", "/v1/volumes/{name}", patch_volume},
    {"DELETE", "/v1/volumes/{name}", delete_volume},

    {"GET", "/v1/projects", list<Kind::kProject>},
    {"POST", "/v1/projects", create_project},
    {"GET", "/v1/projects/{name}", get<Kind::kProject>},
    {"PATCH", "/v1/projects/{name}", patch_project},
    {"DELETE", "/v1/projects/{name}", delete_project},

    {"GET", "/v1/operations", list<Kind::kOperation>},
    {"GET", "/v1/operations/{id}", get<Kind::kOperation>},
    {"DELETE", "/v1/operations/{id}", cancel_operation},
    {"GET", "/v1/failovers", list<Kind::kFailover>},
    {"GET", "/v1/failovers/{id}", get<Kind::kFailover>},

    {"GET", "/v1/events", open_events},
    {"POST", "/v1/plan/{question}", plan},
    {"POST", "/v1/rebalance", rebalance},

    {"GET", "/v1/cluster", ask_cluster, Right::kAdmin, true, true},
    {"POST", "/v1/cluster/init", ask_cluster, Right::kAdmin, true, true},
    {"POST", "/v1/cluster/token", ask_cluster, Right::kAdmin, true, true},
    {"POST", "/v1/cluster/join", ask_cluster, Right::kAdmin, true, true},
    {"POST", "/v1/cluster/leave", ask_cluster, Right::kAdmin, true, true},
    {"POST", "/v1/cluster/backup", ask_cluster, Right::kAdmin, true, true},
    {"POST", "/v1/cluster/restore", ask_cluster, Right::kAdmin, true, true},
    {"GET", "/v1/cluster/members", ask_cluster, Right::kAdmin, true, true},
    {"DELETE", "/v1/cluster/members/{name}", ask_cluster, Right::kAdmin, true, true},

    {"GET", "/v1/openapi.json", get_openapi, Right::kAnybody, true},
    {"GET", "/v1/debug/record", get_debug_record, Right::kAdmin, true},
    {"GET", "/v1/version", get_version, Right::kAnybody, true},
    {"GET", "/metrics", get_metrics, Right::kAnybody, true, true},
    {"GET", "/healthz", get_health, Right::kAnybody, true, true},
    {"GET", "/readyz", get_readiness, Right::kAnybody, true, true},
};

// Absent: another path. What stands for the {parameter}; empty where the pattern has none.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
    const std::size_t open = pattern.find('{');
    if (open == std::string_view::npos)
        return pattern == path ? std::optional(std::string_view{}) : std::nullopt;
    if (path.substr(0, open) != pattern.substr(0, open)) return std::nullopt;
    const std::string_view tail = pattern.substr(pattern.find('}') + 1);
    const std::string_view rest = path.substr(open);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    if (end == 0 || rest.substr(end) != tail) return std::nullopt;
    return rest.substr(0, end);
}

}  // namespace

Match match_route(std::string_view method, std::string_view path) {
    Match result;
    for (const Route& route : kRoutes) {
        const auto name = match(route.pattern, path);
        if (!name) continue;
        if (route.method == method) return {&route, *name, {}};
        if (!result.allow.empty()) result.allow += ", ";
        result.allow += route.method;
        if (route.method == "GET") result.allow += ", HEAD";
    }
    return result;
}

}  // namespace blixard::api
