// start, stop, restart, pause, resume: small changes of the record, which the VM's agent follows.
#include <fmt/format.h>

#include "api/operations.h"
#include "api/vm_spec.h"
#include "api/vm_write.h"

namespace blixard::api {
namespace {

using model::Phase;
using model::Run;

struct Action {
    VmTarget target;
    bool force = false;
    std::optional<std::int64_t> stop_timeout_s;  // also the VM's from now on
};
// Changes the record; refuses where the action makes no sense.
using Change = Status (*)(const Action&, const view::VmEntry&, model::VmRecord&);

bool ended(const view::VmEntry& vm) {
    return vm.phase == Phase::kStopped || vm.phase == Phase::kFailed;
}

Status start(const Action&, const view::VmEntry& vm, model::VmRecord& record) {
    if (record.spec.run == Run::kStopped || ended(vm)) {
        ++record.restart_generation;
        record.force = false;
    }
    record.spec.run = Run::kRunning;
    return {};
}

void set_stop_timeout(const Action& action, model::VmRecord& record) {
    if (action.stop_timeout_s) record.spec.stop_timeout_s = *action.stop_timeout_s;
}

Status stop(const Action& action, const view::VmEntry&, model::VmRecord& record) {
    record.spec.run = Run::kStopped;
    record.force = record.force || action.force;
    set_stop_timeout(action, record);
    return {};
}

Status restart(const Action& action, const view::VmEntry&, model::VmRecord& record) {
    record.spec.run = Run::kRunning;
    ++record.restart_generation;
    record.force = action.force;
    set_stop_timeout(action, record);
    return {};
}

Error not_running(const Action& action, const view::VmEntry& vm, std::string_view verb) {
    return {ErrorCode::kConflict,
            fmt::format("{} is {}: there is nothing to {}", action.target.subject.text(),
                        model::phase_name(vm.phase), verb),
            {},
            fmt::format("start it first: blixard start {}", action.target.subject.name)};
}

Status pause(const Action& action, const view::VmEntry& vm, model::VmRecord& record) {
    if (record.spec.run == Run::kStopped || ended(vm))
        return fail(not_running(action, vm, "pause"));
    record.spec.run = Run::kPaused;
    return {};
}

Status resume(const Action& action, const view::VmEntry& vm, model::VmRecord& record) {
    if (record.spec.run == Run::kStopped || ended(vm))
        return fail(not_running(action, vm, "resume"));
    record.spec.run = Run::kRunning;
    return {};
}

Result<Draft> decide(const view::Snapshot& state, const Action& action, Change change) {
    ASSIGN_OR_RETURN(const view::VmEntry* vm, find_vm(state, action.target));
    model::VmRecord record = vm->record->value;
    RETURN_IF_ERROR(change(action, *vm, record));
    Draft draft = change_record(*vm, action.target, record);
    if (draft.transaction.empty() || record.spec.run == Run::kStopped) return draft;
    const VmPlan plan{
        action.target.subject.project, action.target.subject.name, std::move(record.spec), {}};
    RETURN_IF_ERROR(claim_volumes(state, plan, draft));
    return draft;
}

Result<Action> parse_action(const Call& call) {
    Action action;
    ASSIGN_OR_RETURN(action.target, vm_target(call));
    ASSIGN_OR_RETURN(action.force, flag_of(call.request, "force"));
    ASSIGN_OR_RETURN(const std::int64_t timeout_s,
                     number_of(call.request, "timeout_s", 0, 3600, -1));
    if (timeout_s >= 0) action.stop_timeout_s = timeout_s;
    return action;
}

void act(Core& core, const CallPtr& call, Change change) {
    auto action = parse_action(*call);
    if (!action) return call->refuse(action.error());
    write_and_answer(core, call, 202,
                     [action = std::move(*action), change](const view::Snapshot& state) {
                         return decide(state, action, change);
                     });
}

}  // namespace

void start_vm(Core& core, const CallPtr& call) { act(core, call, start); }
void stop_vm(Core& core, const CallPtr& call) { act(core, call, stop); }
void restart_vm(Core& core, const CallPtr& call) { act(core, call, restart); }
void pause_vm(Core& core, const CallPtr& call) { act(core, call, pause); }
void resume_vm(Core& core, const CallPtr& call) { act(core, call, resume); }

}  // namespace blixard::api
