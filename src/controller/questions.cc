#include "controller/questions.h"

#include <fmt/format.h>

#include "controller/liveness.h"
#include "controller/plans.h"
#include "controller/translate.h"
#include "scheduler/place.h"

namespace blixard::controller {
namespace {

scheduler::HostState state_of(const view::NodeEntry& node) {
    return Liveness(Millis{0}).state_of(node);
}

Result<std::string> why(const Question& question, const view::Snapshot& state,
                        const scheduler::Policy& policy) {
    const view::VmEntry* vm = state.vms.find(question.vm);
    if (!vm || !vm->record)
        return fail(ErrorCode::kNotFound, fmt::format("vm \"{}\" does not exist", question.vm));
    scheduler::Cluster cluster = cluster_of(state);
    // Asked anew, as if it had no place: what would be decided now, beside what was decided then.
    if (cluster.find_vm(vm->key) != scheduler::kNoVm) (void)cluster.release(vm->key);
    cluster.set_revision(state.revision);
    const scheduler::Decision now = scheduler::place(cluster, *request_of(*vm, state), policy);
    std::string out = fmt::format(R"({{"kind":"decision","vm":"{}","phase":"{}",)", vm->key,
                                  model::phase_name(vm->phase));
    if (vm->placement) {
        out += fmt::format(R"("node":"{}","epoch":{},)", vm->placement->value.node,
                           vm->placement->value.epoch);
        if (!vm->placement->value.decision.empty())
            out += fmt::format(R"("decided":{},)", vm->placement->value.decision);
    }
    out += fmt::format(R"("now":{}}})", decision_json(now));
    return out;
}

std::string text_json(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + '"';
}

Result<std::string> why_not(const Question& question, const view::Snapshot& state,
                            const scheduler::Policy& policy) {
    const view::VmEntry* vm = state.vms.find(question.vm);
    if (!vm || !vm->record)
        return fail(ErrorCode::kNotFound, fmt::format("vm \"{}\" does not exist", question.vm));
    scheduler::Cluster cluster = cluster_of(state);
    if (cluster.find_vm(vm->key) != scheduler::kNoVm) (void)cluster.release(vm->key);
    ASSIGN_OR_RETURN(const std::vector<scheduler::Failure> failures,
                     scheduler::why_not(cluster, *request_of(*vm, state), question.node, policy));
    std::string list;
    for (const scheduler::Failure& failure : failures) {
        if (!list.empty()) list += ',';
        list += fmt::format(R"({{"reason":"{}","needed":{},"available":{},"detail":{}}})",
                            scheduler::reason_name(failure.reason), failure.needed,
                            failure.available, text_json(failure.detail));
    }
    return fmt::format(R"({{"kind":"why-not","vm":"{}","node":"{}","fits":{},"refusals":[{}]}})",
                       vm->key, question.node, failures.empty(), list);
}

}  // namespace

scheduler::Cluster cluster_of(const view::Snapshot& state) {
    scheduler::Cluster cluster;
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        if (node->status) (void)cluster.upsert_host(host_of(*node, state_of(*node)));
    });
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (!vm->record || vm->node().empty()) return;
        (void)cluster.place(request_of(*vm, state), vm->node(),
                            assignment_of(vm->placement->value));
    });
    return cluster;
}

Result<std::string> answer(const Question& question, const view::Snapshot& state,
                           const scheduler::Policy& defaults) {
    const scheduler::Policy policy = policy_of(state, defaults);
    if (question.what == "why") return why(question, state, policy);
    if (question.what == "why-not") return why_not(question, state, policy);
    if (question.what == "rebalance" && !question.dry_run)
        return fail(ErrorCode::kUnsupported,
                    "moving VMs to rebalance is not supported here: there is no live migration yet",
                    "blixard rebalance --dry-run shows the moves that would be worth it; blixard "
                    "node drain moves VMs by restarting them");
    return plan(question.what, question.body, cluster_of(state), state, policy);
}

}  // namespace blixard::controller
