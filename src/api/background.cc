// Operations that take a while: where they can be stopped half-way, they can be cancelled.
#include <fmt/format.h>

#include "api/operations.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::api {
namespace {

Result<Draft> decide_cancel(const view::Snapshot& state, const std::string& id,
                            const std::string& now) {
    const Subject subject{Kind::kOperation, {}, id};
    const view::OperationEntry* operation = state.operations.find(id);
    if (!operation) return fail(not_found(subject));
    model::Operation record = operation->record->value;
    if (record.state != model::OperationState::kRunning)
        return fail(ErrorCode::kConflict,
                    fmt::format("operation {} is {} already", id, model::enum_name(record.state)));
    const bool drain = record.kind == "node-drain" && record.target.starts_with("nodes/");
    if (!drain && record.kind != "rebalance")
        return fail(ErrorCode::kConflict,
                    fmt::format("an operation of kind {} cannot be cancelled", record.kind),
                    "wait until it ends");
    Draft draft;
    draft.subject = subject;
    record.state = model::OperationState::kCancelled;
    record.ended_at = now;
    const std::string key = model::operation_key(id);
    draft.counts_on(key, operation->revision).put_proven(key, model::to_json(record));
    if (!drain) return draft;  // a move that is under way ends; no other begins
    const std::string node_name = record.target.substr(6);
    const view::NodeEntry* node = state.nodes.find(node_name);
    if (!node || !node->spec || !node->spec->value.draining) return draft;
    model::NodeSpec spec = node->spec->value;
    spec.draining = false;  // it stays cordoned: taking VMs again is said by uncordon
    const std::string spec_key = model::node_key(node_name, "spec");
    draft.counts_on(spec_key, node->spec->mod_revision).put(spec_key, model::to_json(spec));
    return draft;
}

}  // namespace

void cancel_operation(Core& core, const CallPtr& call) {
    write_and_answer(core, call, 202,
                     [id = call->name, now = core.now()](const view::Snapshot& state) {
                         return decide_cancel(state, id, now);
                     });
}

}  // namespace blixard::api
