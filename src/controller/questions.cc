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

Result<std::string> why(const model::Question& question, const view::Snapshot& state,
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
        out += fmt::format(R"("reason":{},"decided_at":"{}",)", quoted(vm->placement->value.reason),
                           vm->placement->value.decided_at);
        if (!vm->placement->value.decision.empty())
            out += fmt::format(R"("decided":{},)", vm->placement->value.decision);
    }
    out += fmt::format(R"("now":{}}})", decision_json(now));
    return out;
}

std::string candidate_json(std::string_view host, double score,
                           const std::vector<scheduler::ScorePart>& parts) {
    return fmt::format(R"({{"host":{},"score":{:.4f},"parts":{}}})", quoted(host), score,
                       parts_json(parts));
}

// Where the host stands among all that the VM fits on: ,"rank":3,"of":7,"here":{...},"best":{...}
std::string rank_json(const scheduler::Cluster& cluster, const scheduler::Request& request,
                      std::string_view node, scheduler::Policy policy) {
    policy.runners_up = static_cast<std::int32_t>(cluster.host_count());
    const scheduler::Decision decision = scheduler::place(cluster, request, policy);
    const std::string best = candidate_json(decision.host, decision.score, decision.parts);
    const std::size_t of = decision.runners_up.size() + 1;
    if (decision.host == node)
        return fmt::format(R"(,"rank":1,"of":{},"here":{},"best":{})", of, best, best);
    for (std::size_t i = 0; i < decision.runners_up.size(); ++i) {
        const scheduler::Candidate& one = decision.runners_up[i];
        if (one.host == node)
            return fmt::format(R"(,"rank":{},"of":{},"here":{},"best":{})", i + 2, of,
                               candidate_json(one.host, one.score, one.parts), best);
    }
    return {};
}

Result<std::string> why_not(const model::Question& question, const view::Snapshot& state,
                            const scheduler::Policy& policy) {
    const view::VmEntry* vm = state.vms.find(question.vm);
    if (!vm || !vm->record)
        return fail(ErrorCode::kNotFound, fmt::format("vm \"{}\" does not exist", question.vm));
    scheduler::Cluster cluster = cluster_of(state);
    if (cluster.find_vm(vm->key) != scheduler::kNoVm) (void)cluster.release(vm->key);
    const scheduler::Request request = *request_of(*vm, state);
    ASSIGN_OR_RETURN(const std::vector<scheduler::Failure> failures,
                     scheduler::why_not(cluster, request, question.node, policy));
    std::string list;
    for (const scheduler::Failure& failure : failures) {
        if (!list.empty()) list += ',';
        list += fmt::format(R"({{"reason":"{}","needed":{},"available":{},"detail":{}}})",
                            scheduler::reason_name(failure.reason), failure.needed,
                            failure.available, quoted(failure.detail));
    }
    return fmt::format(R"({{"kind":"why-not","vm":"{}","node":"{}","fits":{},"refusals":[{}]{}}})",
                       vm->key, question.node, failures.empty(), list,
                       failures.empty() ? rank_json(cluster, request, question.node, policy) : "");
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
    learn_mix(cluster, state);
    cluster.set_revision(state.revision);
    return cluster;
}

Result<std::string> answer(const model::Question& question, const view::Snapshot& state,
                           const scheduler::Policy& defaults) {
    const scheduler::Policy policy = policy_of(state, defaults);
    if (question.what == "why") return why(question, state, policy);
    if (question.what == "why-not") return why_not(question, state, policy);
    if (question.what == "rebalance") return rebalance(question, cluster_of(state), state, policy);
    return plan(question, cluster_of(state), state, policy);
}

}  // namespace blixard::controller
