// What is asked of the scheduler and of the cluster, through their ports.
#include <fmt/format.h>

#include <algorithm>

#include "api/operations.h"
#include "api/reply.h"

namespace blixard::api {
namespace {

constexpr std::string_view kPlans[] = {"drain", "lose", "add", "launch", "upgrade"};

void ask(Core& core, const CallPtr& call, int status, PlanQuestion question) {
    if (!core.deps.plan)
        return refuse_unsupported(*call, "questions to the scheduler",
                                  "ask a daemon with a controller");
    core.deps.plan->ask(std::move(question), [&core, call, status](Result<std::string> answer) {
        if (!answer) return call->refuse(answer.error());
        Response response;
        response.status = status;
        response.body = std::move(*answer);
        add_revision(response, core.state()->revision);
        call->send(std::move(response));
    });
}

// The VM that the question is about; absent where the call is refused.
std::optional<std::string> vm_of(Core& core, const CallPtr& call) {
    const auto project = project_of(call->request);
    if (!project) return call->refuse(project.error()), std::nullopt;
    const Subject subject{Kind::kVm, *project, call->name};
    if (find(*core.state(), subject)) return subject.key();
    call->refuse(not_found(subject));
    return std::nullopt;
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
    if (!node || !core.state()->nodes.find(*node))
        return call->refuse(
            {ErrorCode::kInvalid,
             node ? fmt::format("there is no node \"{}\"", *node) : "no node is named", "node",
             "name one: ?node=NAME (see: blixard node list)"});
    ask(core, call, 200, {.what = "why-not", .vm = *vm, .node = *node});
}

void plan(Core& core, const CallPtr& call) {
    if (std::find(std::begin(kPlans), std::end(kPlans), call->name) == std::end(kPlans))
        return call->refuse({ErrorCode::kNotFound,
                             fmt::format("there is no plan called \"{}\"", call->name),
                             {},
                             "plans: drain, lose, add, launch, upgrade"});
    ask(core, call, 200, {.what = call->name, .body = call->request.body});
}

void rebalance(Core& core, const CallPtr& call) {
    const auto dry_run = flag_of(call->request, "dry_run");
    if (!dry_run) return call->refuse(dry_run.error());
    ask(core, call, *dry_run ? 200 : 202,
        {.what = "rebalance", .body = call->request.body, .dry_run = *dry_run});
}

void ask_cluster(Core& core, const CallPtr& call) {
    if (!core.deps.cluster)
        return refuse_unsupported(*call, "clusters of several hosts", "this daemon stands alone");
    core.deps.cluster->handle(call->request, call->responder);
}

}  // namespace blixard::api
