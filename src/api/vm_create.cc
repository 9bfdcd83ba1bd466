// POST /v1/vms: one transaction that makes the VM and the volumes of its disks, on condition that
// all it refers to is there.
#include <fmt/format.h>

#include "api/operations.h"
#include "api/quota.h"
#include "api/vm_spec.h"
#include "model/documents.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

struct NewVm {
    VmPlan plan;
    std::string uid;
    std::function<std::string()> new_id;
};

Status check_free(const view::Snapshot& state, const Subject& subject) {
    const view::VmEntry* there = state.vms.find(subject.key());
    if (!there || (!there->record && there->not_understood == 0)) return {};
    const bool going = there->record && !there->record->value.deleted_at.empty();
    return fail(Error{
        ErrorCode::kExists,
        going ? fmt::format("{} is still being deleted", subject.text())
              : fmt::format("{} is there already", subject.text()),
        "name", going ? "ask again when it is gone" : "take another name, or delete it first"});
}

Result<Draft> decide(const view::Snapshot& state, const NewVm& wanted) {
    Draft draft;
    draft.subject = {Kind::kVm, wanted.plan.project, wanted.plan.name};
    draft.uid = wanted.uid;
    RETURN_IF_ERROR(check_free(state, draft.subject));
    VmPlan plan = wanted.plan;
    RETURN_IF_ERROR(check_references(state, plan, draft));
    RETURN_IF_ERROR(complete_spec(state, plan.spec, nullptr));
    if (plan.spec.run != model::Run::kStopped) RETURN_IF_ERROR(claim_volumes(state, plan, draft));
    RETURN_IF_ERROR(write_volumes(state, plan, nullptr, wanted.new_id, draft));
    RETURN_IF_ERROR(check_quota(state, plan.project, use_of(plan.spec), draft));
    model::VmRecord record;
    record.uid = wanted.uid;
    record.created_at = std::move(plan.created_at);
    record.spec = std::move(plan.spec);
    std::string key = model::vm_key(plan.project, plan.name, "spec");
    draft.counts_on_absence(key).put_proven(std::move(key), model::to_json(record), wanted.uid);
    return draft;
}

Result<NewVm> parse_new_vm(Core& core, const Call& call) {
    ASSIGN_OR_RETURN(model::VmCreate request, model::parse_vm_create(call.request.body));
    RETURN_IF_ERROR(model::validate(request));
    NewVm wanted;
    wanted.plan.project = std::move(request.project);
    if (wanted.plan.project.empty()) {
        ASSIGN_OR_RETURN(wanted.plan.project, project_of(call.request));
    }
    wanted.plan.name = std::move(request.name);
    wanted.plan.spec = std::move(request.spec);
    wanted.plan.created_at = core.now();
    wanted.uid = core.new_id();
    wanted.new_id = [&core] { return core.new_id(); };
    return wanted;
}

}  // namespace

void create_vm(Core& core, const CallPtr& call) {
    auto wanted = parse_new_vm(core, *call);
    if (!wanted) return call->refuse(wanted.error());
    write_and_answer(core, call, 201, [wanted = std::move(*wanted)](const view::Snapshot& state) {
        return decide(state, wanted);
    });
}

}  // namespace blixard::api
