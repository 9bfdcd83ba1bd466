#include "model/openapi.h"

#include <algorithm>

#include "base/assert.h"
#include "base/result.h"
#include "model/json_schema.h"
#include "model/openapi_paths.h"
#include "model/types.h"

namespace blixard::model {
namespace {

using json::type_of;
using json::Writer;

#define REF(type) R"({"$ref":"#/components/schemas/)" type R"("})"
#define TEXT R"({"type":"string"})"

// A document on the wire: whose it is, the record's members, and what other writers say of it.
struct Wire {
    std::string_view name;
    std::string_view identity;  // further properties before the record's, JSON text without braces
    const json::Type& record;
    bool in_spec;           // the record stands in "spec", not at the top level
    std::string_view more;  // and after them
};

std::vector<Wire> wires() {
    return {
        {"Vm", R"("kind":{"const":"vm"},"project":)" TEXT R"(,"name":)" TEXT, type_of<VmRecord>(),
         false,
         R"(,"placement":)" REF("Placement") R"(,"status":)" REF(
             "VmStatus") R"(,"phase":{"type":"string","description":"The effective phase.","readOnly":true})"},
        {"Node", R"("kind":{"const":"node"},"name":)" TEXT, type_of<NodeSpec>(), true,
         R"(,"status":)" REF(
             "NodeStatus") R"(,"ready":{"type":"boolean","description":"Its lease is alive."},"allocated":{"type":"object",)"
                           R"("properties":{"cpus":{"type":"integer"},"memory_mib":{"type":"integer"},"vms":{"type":"integer"}}})"},
        {"Image", R"("kind":{"const":"image"},"name":)" TEXT, type_of<Image>(), false, ""},
        {"Volume", R"("kind":{"const":"volume"},"project":)" TEXT R"(,"name":)" TEXT,
         type_of<VolumeRecord>(), false, R"(,"status":)" REF("VolumeStatus")},
        {"Project", R"("kind":{"const":"project"},"name":)" TEXT, type_of<Project>(), false, ""},
        {"Operation", R"("kind":{"const":"operation"},"id":)" TEXT, type_of<Operation>(), false,
         ""},
        {"Failover", R"("kind":{"const":"failover"},"id":)" TEXT, type_of<Failover>(), false, ""},
    };
}

void write_wire(const Wire& wire, Writer& writer) {
    writer.member(wire.name)
        .begin_object()
        .member("type", "object")
        .member("description", wire.record.doc);
    writer.member("properties").begin_object().raw(wire.identity);
    writer.member("revision")
        .raw(
            R"({"type":"integer","format":"int64","description":"Rises with every change; the ETag.","readOnly":true})");
    if (wire.in_spec)
        writer.member("spec").raw("{\"$ref\":\"#/components/schemas/" +
                                  std::string(wire.record.name) + "\"}");
    else
        write_properties(wire.record, writer);
    if (!wire.more.empty()) writer.raw(wire.more.substr(1));
    writer.end_object().end_object();

    writer.member(std::string(wire.name) + "List").begin_object().member("type", "object");
    writer.member("properties").begin_object();
    writer.member("items").raw("{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/" +
                               std::string(wire.name) + "\"}}");
    writer.member("revision").raw(R"({"type":"integer","format":"int64"})");
    writer.member("next").raw(
        R"({"type":"string","description":"Cursor for `after`; absent on the last page."})");
    writer.end_object().end_object();
}

std::vector<const json::Type*> request_types() {
    std::vector<const json::Type*> types;
    collect_types(type_of<VmCreate>(), types);
    collect_types(type_of<VmChange>(), types);
    collect_types(type_of<NodeChange>(), types);
    collect_types(type_of<ImageCreate>(), types);
    collect_types(type_of<VolumeCreate>(), types);
    collect_types(type_of<VolumeChange>(), types);
    collect_types(type_of<ProjectCreate>(), types);
    collect_types(type_of<ProjectChange>(), types);
    collect_types(type_of<PlanDrain>(), types);
    collect_types(type_of<PlanLose>(), types);
    collect_types(type_of<PlanAdd>(), types);
    collect_types(type_of<PlanLaunch>(), types);
    collect_types(type_of<PlanUpgrade>(), types);
    collect_types(type_of<PlanSurvive>(), types);
    collect_types(type_of<RebalanceRequest>(), types);
    return types;
}

// What only answers contain, without the records that stand at the top level of a wire document.
std::vector<const json::Type*> answer_types() {
    std::vector<const json::Type*> types;
    collect_types(type_of<Placement>(), types);
    collect_types(type_of<VmStatus>(), types);
    collect_types(type_of<NodeSpec>(), types);
    collect_types(type_of<NodeStatus>(), types);
    collect_types(type_of<ImageFile>(), types);
    collect_types(type_of<VolumeStatus>(), types);
    return types;
}

void write_problem(Writer& writer) {
    writer.member("Problem").begin_object().member("type", "object");
    writer.member("description", "RFC 9457. What was asked, what was found, what would help.");
    writer.member("properties").begin_object();
    writer.member("type").raw(TEXT);
    writer.member("title").raw(TEXT);
    writer.member("status").raw(R"({"type":"integer"})");
    writer.member("detail").raw(TEXT);
    writer.member("code").begin_object().member("type", "string").member("enum").begin_array();
    for (auto code = ErrorCode::kInvalid; code <= ErrorCode::kInternal;
         code = ErrorCode(int(code) + 1))
        writer.value(error_code_name(code));
    writer.end_array().end_object();
    writer.member("field").raw(
        R"({"type":"string","description":"Path of what is wrong: spec.cpus"})");
    writer.member("help").raw(R"({"type":"string","description":"What would help."})");
    writer.end_object();
    writer.member("required").raw(R"(["type","title","status","detail","code"])");
    writer.end_object();
}

// Of the API's questions and of a rebalance that moves nothing.
constexpr std::string_view kPlan =
    R"({"type":"object","description":"What would happen; nothing has been changed.","properties":{)"
    R"("kind":{"const":"plan"},"plan":{"type":"string","description":"The question."},"summary":)" TEXT
    R"(,"moves":{"type":"array","description":"VMs that would find a place; from is empty for those that run nowhere now.",)"
    R"("items":{"type":"object","properties":{"vm":)" TEXT R"(,"from":)" TEXT R"(,"to":)" TEXT
    "}}}"
    R"(,"stuck":{"type":"array","description":"VMs that would have no place.","items":{"type":"object","properties":{"vm":)" TEXT
    R"(,"from":)" TEXT R"(,"reason":)" TEXT
    "}}}"
    R"(,"survives":{"type":"boolean","description":"Whether the cluster, as it is, survives the loss of any one host (survive: of so many); absent: not found out."})"
    R"(,"worst":{"type":"array","description":"survive: the hosts whose loss leaves most VMs without a place.","items":)" TEXT
    "}"
    R"(,"sets_tried":{"type":"integer"},"all_sets_tried":{"type":"boolean"})"
    R"(,"steps":{"type":"array","description":"upgrade: host by host.","items":{"type":"object"}})"
    R"(,"count":{"type":"integer","description":"rebalance: the moves."},"finished":{"type":"boolean"}}})";

void write_schemas(Writer& writer) {
    writer.member("schemas").begin_object();
    for (const Wire& wire : wires()) write_wire(wire, writer);
    const auto requests = request_types();
    for (const json::Type* type : requests) {
        writer.member(type->name);
        write_schema(*type, true, writer);
    }
    for (const json::Type* type : answer_types()) {
        if (std::find(requests.begin(), requests.end(), type) != requests.end()) continue;
        writer.member(type->name);
        write_schema(*type, false, writer);
    }
    writer.member("Blob").raw(R"({"type":"object","properties":{"sha256":)" TEXT
                              R"(,"size_bytes":{"type":"integer"}}})");
    writer.member("Version").raw(R"({"type":"object","properties":{"version":)" TEXT
                                 R"(,"commit":)" TEXT R"(,"node":)" TEXT R"(,"store":)" TEXT
                                 R"(,"cluster":)" TEXT "}}");
    writer.member("Plan").raw(kPlan);
    write_problem(writer);
    writer.end_object();
}

#undef REF
#undef TEXT

void write_components(Writer& writer) {
    writer.member("components").begin_object();
    write_schemas(writer);
    writer.member("parameters").begin_object();
    for (const Parameter& parameter : api_parameters()) {
        writer.member(parameter.key).begin_object();
        writer.member("name", parameter.name)
            .member("in", parameter.in)
            .member("description", parameter.doc);
        if (parameter.in == "path") writer.member("required", true);
        writer.member("schema").raw(parameter.schema).end_object();
    }
    writer.end_object();
    writer.member("responses")
        .raw(
            R"({"Problem":{"description":"Refused or failed; nothing was changed unless it says so.",)"
            R"("content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}})");
    writer.end_object();
}

bool is_media_type(std::string_view text) { return text.find('/') != std::string_view::npos; }

void write_content(std::string_view media_type, std::string_view schema, Writer& writer) {
    writer.member("content").begin_object().member(media_type).begin_object();
    if (!schema.empty())
        writer.member("schema")
            .begin_object()
            .member("$ref", "#/components/schemas/" + std::string(schema))
            .end_object();
    writer.end_object().end_object();
}

void write_request(const Endpoint& endpoint, Writer& writer) {
    if (endpoint.request.empty()) return;
    writer.member("requestBody").begin_object().member("required", true);
    if (endpoint.request == "bytes")
        write_content("application/octet-stream", {}, writer);
    else if (is_media_type(endpoint.request))
        write_content(endpoint.request, {}, writer);
    else
        write_content(
            endpoint.method == "patch" ? "application/merge-patch+json" : "application/json",
            endpoint.request, writer);
    writer.end_object();
}

void write_responses(const Endpoint& endpoint, Writer& writer) {
    constexpr std::string_view kProblem = R"({"$ref":"#/components/responses/Problem"})";
    writer.member("responses").begin_object();
    writer.member(std::to_string(endpoint.status)).begin_object();
    writer.member("description",
                  endpoint.status == 202 ? "Taken on; it goes on after the answer." : "Done.");
    if (is_media_type(endpoint.response))
        write_content(endpoint.response, {}, writer);
    else if (!endpoint.response.empty())
        write_content("application/json", endpoint.response, writer);
    writer.end_object();
    writer.member("4XX").raw(kProblem).member("5XX").raw(kProblem);
    writer.end_object();
}

void write_parameters(std::string_view keys, Writer& writer) {
    if (keys.empty()) return;
    writer.member("parameters").begin_array();
    std::size_t start = 0;
    while (start <= keys.size()) {
        const std::size_t space = std::min(keys.find(' ', start), keys.size());
        const std::string key(keys.substr(start, space - start));
        writer.begin_object().member("$ref", "#/components/parameters/" + key).end_object();
        start = space + 1;
    }
    writer.end_array();
}

void write_endpoint(const Endpoint& endpoint, Writer& writer) {
    writer.member(endpoint.method).begin_object();
    writer.member("operationId", endpoint.id).member("summary", endpoint.summary);
    writer.member("tags").begin_array().value(endpoint.tag).end_array();
    write_parameters(endpoint.parameters, writer);
    write_request(endpoint, writer);
    write_responses(endpoint, writer);
    writer.end_object();
}

void write_paths(Writer& writer) {
    std::vector<std::string_view> paths;  // in the table's order, each once
    for (const Endpoint& endpoint : api_endpoints())
        if (std::find(paths.begin(), paths.end(), endpoint.path) == paths.end())
            paths.push_back(endpoint.path);
    writer.member("paths").begin_object();
    for (const std::string_view path : paths) {
        writer.member(path).begin_object();
        for (const Endpoint& endpoint : api_endpoints())
            if (endpoint.path == path) write_endpoint(endpoint, writer);
        writer.end_object();
    }
    writer.end_object();
}

}  // namespace

std::string openapi_document(std::string_view version) {
    std::string page;
    Writer writer(page);
    writer.begin_object().member("openapi", "3.1.0");
    writer.member("info").begin_object();
    writer.member("title", "Blixard").member("version", version);
    writer.member("description", "Virtual machines on a handful of hosts.");
    writer.member("license").raw(R"({"name":"Apache-2.0","identifier":"Apache-2.0"})");
    writer.end_object();
    write_paths(writer);
    write_components(writer);
    writer.end_object();
    return page;
}

}  // namespace blixard::model
