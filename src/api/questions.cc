// What is asked of the scheduler and of the cluster, through their ports.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/operations.h"
#include "api/quota.h"
#include "api/reply.h"
#include "api/vm_spec.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "model/plan_requests.h"
#include "model/requests.h"

namespace blixard::api {
namespace {

constexpr std::string_view kPlans[] = {"drain", "lose", "add", "launch", "upgrade", "survive"};

void send_plan(Core& core, const CallPtr& call, int status, std::string plan) {
    Response response;
    response.status = status;
    response.body = std::move(plan);
    add_revision(response, core.state()->revision);
    call->send(std::move(response));
}

void ask(Core& core, const CallPtr& call, int status, model::Question question) {
    if (!core.deps.plan)
        return refuse_unsupported(*call, "questions to the scheduler",
                                  "ask a daemon with a controller");
    core.deps.plan->ask(std::move(question), [&core, call, status](Result<std::string> answer) {
        if (!answer) return call->refuse(answer.error());
        send_plan(core, call, status, std::move(*answer));
    });
}

// The VM that the question is about; absent where the call is refused.
std::optional<std::string> vm_of(Core& core, const CallPtr& call) {
    const auto project = project_of(call->request);
    if (!project) return call->refuse(project.error()), std::nullopt;
    const Subject subject{Kind::kVm, *project, call->name};
    const view::SnapshotPtr state = core.state();
    if (find(*state, subject)) return subject.key();
    call->refuse(not_there(*state, subject));
    return std::nullopt;
}

// VMs as they would be made: refused as their creation would be, but that more than the quota
// allows may be asked about.
Result<model::Question> launch_question(const view::Snapshot& state, const Request& request) {
    ASSIGN_OR_RETURN(auto asked, model::parse_question<model::PlanLaunch>(request.body));
    if (asked.project.empty()) {
        ASSIGN_OR_RETURN(asked.project, project_of(request));
    }
    Draft unwritten;
    RETURN_IF_ERROR(check_references(
        state, {.project = asked.project, .name = "new", .spec = asked.spec}, unwritten));
    RETURN_IF_ERROR(complete_spec(state, asked.spec, nullptr));
    const Allowance allowance = allowance_of(state, asked.project, use_of(asked.spec), asked.count);
    model::Question question{.what = "launch", .allowed = allowance.count};
    if (!allowance.beyond) question.beyond = allowance.beyond.error().message;
    model::write(asked, question.body);
    return question;
}

// "count" of a plan.
std::int64_t count_of(const std::string& plan) {
    const Result<std::string> member = model::select_member(plan, "count");
    std::int64_t count = 0;
    if (member) std::from_chars(member->data(), member->data() + member->size(), count);
    return count;
}

// One at a time: asked again while one runs, it answers with that one.
Result<Draft> decide_rebalance(const view::Snapshot& state, std::int64_t moves,
                               const std::string& id, const std::string& now) {
    std::string running;
    state.operations.for_each([&](const std::shared_ptr<const view::OperationEntry>& operation) {
        const model::Operation& record = operation->record->value;
        if (record.kind == "rebalance" && record.state == model::OperationState::kRunning)
            running = operation->key;
    });
    Draft draft;
    draft.subject = {Kind::kOperation, {}, running.empty() ? id : running};
    if (!running.empty()) return draft;
    model::Operation operation;
    operation.kind = "rebalance";
    operation.target = "cluster";
    operation.created_at = now;
    operation.total = moves;
    operation.unit = "moves";
    const std::string key = model::operation_key(id);
    draft.counts_on_absence(key).put_proven(key, model::to_json(operation));
    return draft;
}

}  // namespace

void explain_vm(Core& core, const CallPtr& call) {
    const auto vm = vm_of(core, call);
    if (vm) ask(core, call, 200, {.what = "why", .vm = *vm});
}

void explain_vm_not_on_node(Core& core, const CallPtr& call) {
    const auto vm = vm_of(core, call);
    if (!vm) return;
    const std::string* node = call->request.find_query("node");
    if (!node)
        return call->refuse({ErrorCode::kInvalid, "no node is named", "node",
                             "name one: ?node=NAME (see: blixard node list)"});
    if (!core.state()->nodes.find(*node)) return call->refuse(not_found({Kind::kNode, {}, *node}));
    ask(core, call, 200, {.what = "why-not", .vm = *vm, .node = *node});
}

void plan(Core& core, const CallPtr& call) {
    if (std::find(std::begin(kPlans), std::end(kPlans), call->name) == std::end(kPlans))
        return call->refuse({ErrorCode::kNotFound,
                             fmt::format("there is no plan called \"{}\"", call->name),
                             {},
                             "plans: drain, lose, add, launch, upgrade, survive"});
    if (call->name != "launch")
        return ask(core, call, 200, {.what = call->name, .body = call->request.body});
    auto question = launch_question(*core.state(), call->request);
    if (!question) return call->refuse(question.error());
    ask(core, call, 200, std::move(*question));
}

// The plan is asked for first; where it has moves, an operation is made that the controller carries
// out, deciding each move anew.
void rebalance(Core& core, const CallPtr& call) {
    const auto dry_run = flag_of(call->request, "dry_run");
    if (!dry_run) return call->refuse(dry_run.error());
    model::Question question{.what = "rebalance", .body = call->request.body, .dry_run = *dry_run};
    if (*dry_run) return ask(core, call, 200, std::move(question));
    if (!core.deps.plan)
        return refuse_unsupported(*call, "rebalancing", "ask a daemon with a controller");
    core.deps.plan->ask(std::move(question), [&core, call](const Result<std::string>& plan) {
        if (!plan) return call->refuse(plan.error());
        const std::int64_t moves = count_of(*plan);
        if (moves == 0) return send_plan(core, call, 200, *plan);
        write_and_answer(
            core, call, 202,
            [moves, id = core.new_id(), now = core.now()](const view::Snapshot& state) {
                return decide_rebalance(state, moves, id, now);
            });
    });
}

void ask_cluster(Core& core, const CallPtr& call) {
    if (!core.deps.cluster)
        return refuse_unsupported(*call, "clusters of several hosts", "this daemon stands alone");
    core.deps.cluster->handle(call->request, call->responder);
}

}  // namespace blixard::api
