// Hosts: what operators set of them, and taking them out of use.
#include <fmt/format.h>

#include "api/operations.h"
#include "base/counted.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

struct NodeTarget {
    std::string name;
    std::optional<store::Revision> seen;
    std::string now;

    Subject subject() const { return {Kind::kNode, {}, name}; }
};

Result<NodeTarget> node_target(Core& core, const Call& call) {
    NodeTarget target{call.name, {}, core.now()};
    ASSIGN_OR_RETURN(target.seen, if_match_of(call.request));
    return target;
}

store::Revision spec_revision(const view::NodeEntry& node) {
    return node.spec ? node.spec->mod_revision : 0;
}

Result<const view::NodeEntry*> find_node(const view::Snapshot& state, const NodeTarget& target) {
    const view::NodeEntry* node = state.nodes.find(target.name);
    if (!node) return fail(not_found(target.subject()));
    RETURN_IF_ERROR(check_if_match(target.seen, spec_revision(*node), target.subject().text()));
    return node;
}

model::NodeSpec spec_of(const view::NodeEntry& node) {
    return node.spec ? node.spec->value : model::NodeSpec{};
}

Draft change_spec(const view::NodeEntry& node, const NodeTarget& target,
                  const model::NodeSpec& spec) {
    Draft draft;
    draft.subject = target.subject();
    draft.uid = spec.uid;
    draft.proof_key = model::node_key(target.name, "spec");
    if (node.spec && node.spec->value == spec) return draft;
    draft.counts_on(draft.proof_key, spec_revision(node))
        .put(draft.proof_key, model::to_json(spec));
    return draft;
}

// A change of the spec that needs nothing but the node.
using Change = Status (*)(const NodeTarget&, const view::NodeEntry&, model::NodeSpec&);

void change_node(Core& core, const CallPtr& call, Change change) {
    auto target = node_target(core, *call);
    if (!target) return call->refuse(target.error());
    write_and_answer(
        core, call, 200,
        [target = std::move(*target), change](const view::Snapshot& state) -> Result<Draft> {
            ASSIGN_OR_RETURN(const view::NodeEntry* node, find_node(state, target));
            model::NodeSpec spec = spec_of(*node);
            RETURN_IF_ERROR(change(target, *node, spec));
            return change_spec(*node, target, spec);
        });
}

Status cordon(const NodeTarget&, const view::NodeEntry&, model::NodeSpec& spec) {
    spec.schedulable = false;
    return {};
}

// Also ends a drain, and takes back that the host was lost, once it lives again.
Status uncordon(const NodeTarget&, const view::NodeEntry& node, model::NodeSpec& spec) {
    spec.schedulable = true;
    spec.draining = false;
    if (node.lease) spec.lost_at.clear();
    return {};
}

Status lost(const NodeTarget& target, const view::NodeEntry& node, model::NodeSpec& spec) {
    if (node.lease)
        return fail(ErrorCode::kConflict,
                    fmt::format("node \"{}\" lives: its lease is being renewed", target.name),
                    "cut its power, wait until it is no longer ready, and ask again");
    if (spec.lost_at.empty()) spec.lost_at = target.now;
    return {};
}

Result<model::NodeSpec> patched(const model::NodeSpec& before, const std::string& patch) {
    const model::NodeChange was{{before.labels,
                                 before.zone,
                                 before.cost_per_hour,
                                 before.overcommit,
                                 before.schedulable,
                                 {}},
                                {}};
    ASSIGN_OR_RETURN(const std::string body, model::merge_patch(model::to_json(was), patch));
    ASSIGN_OR_RETURN(const model::NodeChange change, model::parse_node_change(body));
    RETURN_IF_ERROR(model::validate(change));
    model::NodeSpec spec = before;
    spec.labels = change.spec.labels;
    spec.zone = mutant(MutantId::kZoneLost) ? std::string{} : change.spec.zone;
    spec.cost_per_hour = change.spec.cost_per_hour;
    spec.overcommit = change.spec.overcommit;
    spec.schedulable = change.spec.schedulable;
    return spec;
}

std::string running_drain(const view::Snapshot& state, const std::string& target) {
    std::string id;
    state.operations.for_each([&](const std::shared_ptr<const view::OperationEntry>& operation) {
        const model::Operation& record = operation->record->value;
        if (record.kind == "node-drain" && record.target == target &&
            record.state == model::OperationState::kRunning)
            id = operation->key;
    });
    return id;
}

std::int64_t vms_on(const view::Snapshot& state, std::string_view node) {
    std::int64_t count = 0;
    state.for_each_vm_on(node, [&](const view::VmEntry&) {
        ++count;
        return true;
    });
    return count;
}

// Marks the node, and makes the operation that the controller carries out.
Result<Draft> decide_drain(const view::Snapshot& state, const NodeTarget& target,
                           const std::string& id) {
    ASSIGN_OR_RETURN(const view::NodeEntry* node, find_node(state, target));
    model::NodeSpec spec = spec_of(*node);
    spec.schedulable = false;
    spec.draining = true;
    Draft draft = change_spec(*node, target, spec);
    const std::string at = "nodes/" + target.name;
    const std::string running = running_drain(state, at);
    draft.subject = {Kind::kOperation, {}, running.empty() ? id : running};
    draft.uid.clear();
    if (!running.empty()) return draft;
    model::Operation operation;
    operation.kind = "node-drain";
    operation.target = at;
    operation.node = target.name;
    operation.created_at = target.now;
    operation.total = vms_on(state, target.name);
    operation.unit = "vms";
    const std::string key = model::operation_key(id);
    draft.counts_on_absence(key).put_proven(key, model::to_json(operation));
    return draft;
}

Result<Draft> decide_delete(const view::Snapshot& state, const NodeTarget& target) {
    ASSIGN_OR_RETURN(const view::NodeEntry* node, find_node(state, target));
    if (node->lease)
        return fail(ErrorCode::kConflict,
                    fmt::format("node \"{}\" lives and would come back", target.name),
                    "stop its daemon first, and wait until it is no longer ready");
    if (const std::int64_t vms = vms_on(state, target.name); vms > 0)
        return fail(
            ErrorCode::kConflict,
            fmt::format("node \"{}\" has {}", target.name, counted(vms, "VM")),
            fmt::format(
                "drain it, delete them, or vouch that it has no power: blixard node lost {}",
                target.name));
    Draft draft;
    draft.subject = target.subject();
    draft.uid = node->spec ? node->spec->value.uid : "";
    draft.proof_key = model::node_key(target.name, "spec");
    const std::string status = model::node_key(target.name, "status");
    draft.counts_on(draft.proof_key, spec_revision(*node))
        .counts_on(status, node->status ? node->status->mod_revision : 0)
        .counts_on_absence(model::node_key(target.name, "lease"))
        .erase(draft.proof_key)
        .erase(status);
    return draft;
}

}  // namespace

void cordon_node(Core& core, const CallPtr& call) { change_node(core, call, cordon); }
void uncordon_node(Core& core, const CallPtr& call) { change_node(core, call, uncordon); }
void declare_node_lost(Core& core, const CallPtr& call) { change_node(core, call, lost); }

void patch_node(Core& core, const CallPtr& call) {
    auto target = node_target(core, *call);
    if (!target) return call->refuse(target.error());
    write_and_answer(
        core, call, 200,
        [target = std::move(*target), call](const view::Snapshot& state) -> Result<Draft> {
            ASSIGN_OR_RETURN(const view::NodeEntry* node, find_node(state, target));
            ASSIGN_OR_RETURN(const model::NodeSpec spec,
                             patched(spec_of(*node), call->request.body));
            return change_spec(*node, target, spec);
        });
}

void drain_node(Core& core, const CallPtr& call) {
    auto target = node_target(core, *call);
    if (!target) return call->refuse(target.error());
    write_and_answer(core, call, 202,
                     [target = std::move(*target), id = core.new_id()](
                         const view::Snapshot& state) { return decide_drain(state, target, id); });
}

void delete_node(Core& core, const CallPtr& call) {
    auto target = node_target(core, *call);
    if (!target) return call->refuse(target.error());
    write_and_answer(core, call, 200, [target = std::move(*target)](const view::Snapshot& state) {
        return decide_delete(state, target);
    });
}

}  // namespace blixard::api
