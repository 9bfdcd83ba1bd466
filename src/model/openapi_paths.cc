#include "model/openapi_paths.h"

namespace blixard::model {
namespace {

constexpr std::string_view kText = R"({"type":"string"})";
constexpr std::string_view kFlag = R"({"type":"boolean","default":false})";
constexpr std::string_view kNameSchema =
    R"({"type":"string","minLength":1,"maxLength":63,"pattern":"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"})";
constexpr std::string_view kSeconds =
    R"({"type":"integer","minimum":0,"maximum":3600,"default":30})";

constexpr Parameter kParameters[] = {
    {"name", "name", "path", kNameSchema, "Name."},
    {"id", "id", "path", kText, "Id."},
    {"sha256", "sha256", "path", R"({"type":"string","pattern":"^[0-9a-f]{64}$"})",
     "What the file contains."},
    {"question", "question", "path",
     R"({"type":"string","enum":["drain","lose","add","launch","upgrade"]})", "What to try."},
    {"project", "project", "query", R"({"type":"string","default":"default"})", "Project."},
    {"projects", "project", "query", R"({"type":"string","default":"default"})",
     "Project; * for all."},
    {"limit", "limit", "query", R"({"type":"integer","minimum":1,"maximum":10000,"default":1000})",
     "At most this many."},
    {"after", "after", "query", kText, "Cursor: `next` of the page before."},
    {"label", "label", "query", R"({"type":"array","items":{"type":"string"}})",
     "key=value; given several times, all must match."},
    {"phase", "phase", "query",
     R"({"type":"string","enum":["pending","scheduled","starting","running","paused","stopping","stopped","failed"]})",
     "Only VMs in this phase."},
    {"on-node", "node", "query", kText, "Only VMs placed on this node."},
    {"fields", "fields", "query", kText, "Only these members: dotted paths, commas between them."},
    {"wait", "wait", "query",
     R"({"type":"string","enum":["running","stopped","paused","deleted","scheduled"]})",
     "Answer when this is reached. When the time is over: 504, and what was asked for goes on."},
    {"timeout", "timeout", "query", kSeconds, "Seconds to wait."},
    {"timeout-s", "timeout_s", "query", kSeconds, "Seconds the guest has to stop."},
    {"force", "force", "query", kFlag, "Do not ask the guest."},
    {"dry-run", "dry_run", "query", kFlag, "Say what would be done, and do nothing."},
    {"bytes", "bytes", "query", R"({"type":"integer","minimum":1,"default":65536})",
     "At most this many, the last ones."},
    {"node", "node", "query", kNameSchema, "Node."},
    {"expected-sha256", "sha256", "query", R"({"type":"string","pattern":"^[0-9a-f]{64}$"})",
     "Refused unless the body is this."},
    {"type", "type", "query", kText, "Only events whose type begins so: vm., node.status, ..."},
    {"event-name", "name", "query", kText, "Only events about this name."},
    {"from", "from", "query", R"({"type":"integer","minimum":0})", "Resume after this revision."},
    {"last-event-id", "Last-Event-ID", "header", kText, "Resume after this event."},
    {"if-match", "If-Match", "header", kText,
     "The revision that is being changed, quoted; else 412."},
    {"idempotency-key", "Idempotency-Key", "header", R"({"type":"string","maxLength":255})",
     "Asked again with the same key, the same answer comes again and nothing is done twice."},
};

#define WAIT " wait timeout"
#define LIST "limit after label fields"
#define ACTION "name project if-match idempotency-key" WAIT

constexpr Endpoint kEndpoints[] = {
    {"get", "/v1/vms", "listVms", "vms", "List VMs", "projects phase on-node " LIST, "", 200,
     "VmList"},
    {"post", "/v1/vms", "createVm", "vms", "Create a VM", "project idempotency-key" WAIT,
     "VmCreate", 201, "Vm"},
    {"get", "/v1/vms/{name}", "getVm", "vms", "One VM", "name project fields" WAIT, "", 200, "Vm"},
    {"put", "/v1/vms/{name}", "replaceVm", "vms", "Replace the whole spec",
     "name project if-match" WAIT, "VmChange", 200, "Vm"},
    {"patch", "/v1/vms/{name}", "patchVm", "vms", "Change parts of the spec (JSON merge patch)",
     "name project if-match" WAIT, "VmChange", 200, "Vm"},
    {"delete", "/v1/vms/{name}", "deleteVm", "vms", "Delete; a running VM only with force",
     "name project force if-match" WAIT, "", 202, "Vm"},
    {"post", "/v1/vms/{name}/start", "startVm", "vms", "Start", ACTION, "", 202, "Vm"},
    {"post", "/v1/vms/{name}/stop", "stopVm", "vms", "Stop: ask the guest, then insist",
     ACTION " force timeout-s", "", 202, "Vm"},
    {"post", "/v1/vms/{name}/restart", "restartVm", "vms", "Stop and start",
     ACTION " force timeout-s", "", 202, "Vm"},
    {"post", "/v1/vms/{name}/pause", "pauseVm", "vms", "Pause", ACTION, "", 202, "Vm"},
    {"post", "/v1/vms/{name}/resume", "resumeVm", "vms", "Resume", ACTION, "", 202, "Vm"},
    {"get", "/v1/vms/{name}/log", "getVmLog", "vms", "The end of the console log",
     "name project bytes", "", 200, "text/plain"},
    {"get", "/v1/vms/{name}/console", "openVmConsole", "vms",
     "WebSocket to the serial console (binary frames)", "name project", "", 101, ""},
    {"get", "/v1/vms/{name}/usage", "getVmUsage", "vms", "What it uses, as measured",
     "name project", "", 200, "application/json"},
    {"get", "/v1/vms/{name}/why", "explainVm", "vms", "Why it is where it is, or nowhere",
     "name project", "", 200, "application/json"},
    {"get", "/v1/vms/{name}/why-not", "explainVmNotOnNode", "vms", "Why it is not on a node",
     "name project node", "", 200, "application/json"},

    {"get", "/v1/nodes", "listNodes", "nodes", "List nodes", LIST, "", 200, "NodeList"},
    {"get", "/v1/nodes/{name}", "getNode", "nodes", "One node", "name fields", "", 200, "Node"},
    {"patch", "/v1/nodes/{name}", "patchNode", "nodes", "Change its settings (JSON merge patch)",
     "name if-match", "NodeChange", 200, "Node"},
    {"delete", "/v1/nodes/{name}", "deleteNode", "nodes", "Forget a node that runs nothing",
     "name if-match", "", 200, "Node"},
    {"post", "/v1/nodes/{name}/cordon", "cordonNode", "nodes", "Take no new VMs", "name", "", 200,
     "Node"},
    {"post", "/v1/nodes/{name}/uncordon", "uncordonNode", "nodes", "Take new VMs again", "name", "",
     200, "Node"},
    {"post", "/v1/nodes/{name}/drain", "drainNode", "nodes", "Move its VMs away", "name", "", 202,
     "Operation"},
    {"post", "/v1/nodes/{name}/lost", "declareNodeLost", "nodes",
     "Vouch that the host has no power", "name", "", 200, "Node"},

    {"post", "/v1/blobs", "uploadBlob", "images", "Upload a file", "expected-sha256", "bytes", 201,
     "Blob"},
    {"get", "/v1/blobs/{sha256}", "getBlob", "images", "Download a file (Range is honoured)",
     "sha256", "", 200, "application/octet-stream"},
    {"get", "/v1/images", "listImages", "images", "List images", LIST, "", 200, "ImageList"},
    {"post", "/v1/images", "createImage", "images", "Make an image of uploaded files",
     "idempotency-key", "ImageCreate", 201, "Image"},
    {"get", "/v1/images/{name}", "getImage", "images", "One image", "name fields", "", 200,
     "Image"},
    {"delete", "/v1/images/{name}", "deleteImage", "images", "Delete; refused while it is used",
     "name if-match", "", 200, "Image"},

    {"get", "/v1/volumes", "listVolumes", "volumes", "List volumes", "projects " LIST, "", 200,
     "VolumeList"},
    {"post", "/v1/volumes", "createVolume", "volumes", "Create a volume", "project idempotency-key",
     "VolumeCreate", 201, "Volume"},
    {"get", "/v1/volumes/{name}", "getVolume", "volumes", "One volume", "name project fields", "",
     200, "Volume"},
    {"patch", "/v1/volumes/{name}", "patchVolume", "volumes", "Grow or label it (JSON merge patch)",
     "name project if-match", "VolumeChange", 200, "Volume"},
    {"delete", "/v1/volumes/{name}", "deleteVolume", "volumes", "Delete; refused while it is used",
     "name project if-match", "", 200, "Volume"},

    {"get", "/v1/projects", "listProjects", "projects", "List projects", LIST, "", 200,
     "ProjectList"},
    {"post", "/v1/projects", "createProject", "projects", "Create a project", "idempotency-key",
     "ProjectCreate", 201, "Project"},
    {"get", "/v1/projects/{name}", "getProject", "projects", "One project", "name fields", "", 200,
     "Project"},
    {"patch", "/v1/projects/{name}", "patchProject", "projects", "Change it (JSON merge patch)",
     "name if-match", "ProjectChange", 200, "Project"},
    {"delete", "/v1/projects/{name}", "deleteProject", "projects", "Delete an empty project",
     "name if-match", "", 200, "Project"},

    {"get", "/v1/operations", "listOperations", "operations", "List operations",
     "limit after fields", "", 200, "OperationList"},
    {"get", "/v1/operations/{id}", "getOperation", "operations", "One operation", "id fields", "",
     200, "Operation"},
    {"delete", "/v1/operations/{id}", "cancelOperation", "operations",
     "Cancel, where that is possible", "id", "", 202, "Operation"},
    {"get", "/v1/failovers", "listFailovers", "failovers", "List failovers", "limit after fields",
     "", 200, "FailoverList"},
    {"get", "/v1/failovers/{id}", "getFailover", "failovers", "One failover, with its proof",
     "id fields", "", 200, "Failover"},

    {"get", "/v1/cluster", "getCluster", "cluster", "How the cluster stands", "", "", 200,
     "application/json"},
    {"post", "/v1/cluster/init", "initCluster", "cluster", "Turn this host into the first of many",
     "", "application/json", 200, "application/json"},
    {"post", "/v1/cluster/token", "createJoinToken", "cluster",
     "A token for another host to join with", "", "application/json", 201, "application/json"},
    {"post", "/v1/cluster/join", "joinCluster", "cluster", "Join a cluster", "", "application/json",
     202, "application/json"},
    {"post", "/v1/cluster/leave", "leaveCluster", "cluster", "Leave the cluster", "", "", 202,
     "application/json"},
    {"post", "/v1/cluster/backup", "backupCluster", "cluster",
     "A backup of the cluster: {passphrase}; it holds the cluster's keys", "", "application/json",
     200, "application/octet-stream"},
    {"post", "/v1/cluster/restore", "restoreCluster", "cluster",
     "Become the only member of a backup's cluster: {sha256, passphrase, dry_run}", "",
     "application/json", 200, "application/json"},
    {"get", "/v1/cluster/members", "listMembers", "cluster", "Members of the store", "", "", 200,
     "application/json"},
    {"delete", "/v1/cluster/members/{name}", "removeMember", "cluster",
     "Remove a member of the store", "name", "", 200, "application/json"},
    {"post", "/v1/plan/{question}", "plan", "cluster",
     "What would happen: drain, lose, add, launch, upgrade or survive", "question",
     "application/json", 200, "application/json"},
    {"post", "/v1/rebalance", "rebalance", "cluster",
     "Move VMs where they fit better; they are restarted there", "dry-run", "application/json", 202,
     "application/json"},

    {"get", "/v1/events", "watchEvents", "events", "Server-sent events; ids are revisions",
     "projects type event-name from last-event-id", "", 200, "text/event-stream"},
    {"get", "/v1/openapi.json", "getOpenapi", "meta", "This page", "", "", 200, "application/json"},
    {"get", "/v1/debug/record", "getDebugRecord", "meta",
     "The record of this host's inputs, without secrets, for blixard sim --recorded", "", "", 200,
     "application/octet-stream"},
    {"get", "/v1/version", "getVersion", "meta", "Versions of this daemon", "", "", 200, "Version"},
    {"get", "/metrics", "getMetrics", "meta", "Prometheus text", "", "", 200, "text/plain"},
    {"get", "/healthz", "getHealth", "meta", "The daemon lives", "", "", 200, "text/plain"},
    {"get", "/readyz", "getReadiness", "meta", "The daemon can serve", "", "", 200, "text/plain"},
};

#undef WAIT
#undef LIST
#undef ACTION

}  // namespace

std::span<const Parameter> api_parameters() { return kParameters; }
std::span<const Endpoint> api_endpoints() { return kEndpoints; }

}  // namespace blixard::model
