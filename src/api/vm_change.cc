// PUT and PATCH of a VM's spec.
#include <fmt/format.h>

#include "api/operations.h"
#include "api/quota.h"
#include "api/vm_spec.h"
#include "api/vm_write.h"
#include "model/documents.h"
#include "model/extras.h"
#include "model/merge_patch.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

struct VmEdit {
    VmTarget target;
    std::string body;
    bool patch = false;
    std::string now;
    std::function<std::string()> new_id;
};

// The whole spec as asked for. `present`: as before, written.
Result<model::VmSpec> wanted_spec(const VmEdit& edit, const model::VmSpec& before,
                                  const std::string& present) {
    std::string patched;
    if (edit.patch) {
        ASSIGN_OR_RETURN(patched, model::merge_patch(present, edit.body));
    }
    ASSIGN_OR_RETURN(model::VmChange change,
                     model::parse_vm_change(edit.patch ? patched : edit.body, present));
    // Who replaces the whole through a host of an older version may not know what it does not show.
    if (!edit.patch && change.spec.extras.members.empty()) model::keep_extras(before, change.spec);
    return std::move(change.spec);
}

// What was running before and shall run again starts anew; see start_vm.
void set_run(model::VmRecord& record, model::Run before) {
    if (before == model::Run::kStopped && record.spec.run != model::Run::kStopped) {
        ++record.restart_generation;
        record.force = false;
    }
}

Use difference(const Use& now, const Use& before) {
    return {0, now.cpus - before.cpus, now.memory_mib - before.memory_mib,
            now.disk_mib - before.disk_mib};
}

bool needs_more(const Use& use) { return use.cpus > 0 || use.memory_mib > 0 || use.disk_mib > 0; }

void join(Draft& into, Draft&& more) {
    auto& target = into.transaction;
    auto& source = more.transaction;
    std::move(source.compares.begin(), source.compares.end(), std::back_inserter(target.compares));
    std::move(source.puts.begin(), source.puts.end(), std::back_inserter(target.puts));
    std::move(source.deletes.begin(), source.deletes.end(), std::back_inserter(target.deletes));
    into.quota_project = more.quota_project;
}

Result<Draft> decide(const view::Snapshot& state, const VmEdit& edit) {
    ASSIGN_OR_RETURN(const view::VmEntry* vm, find_vm(state, edit.target));
    const model::VmSpec& before = vm->record->value.spec;
    model::VmRecord record = vm->record->value;
    const std::string present = model::to_json(model::VmChange{std::move(record.spec), {}});
    ASSIGN_OR_RETURN(record.spec, wanted_spec(edit, before, present));
    Draft around;
    RETURN_IF_ERROR(complete_spec(state, record.spec, &before));
    RETURN_IF_ERROR(model::validate(record.spec, "spec"));
    RETURN_IF_ERROR(model::validate_change(before, record.spec));
    set_run(record, before.run);
    Draft draft = change_record(*vm, edit.target, record);
    if (draft.transaction.empty()) return draft;
    const VmPlan plan{edit.target.subject.project, edit.target.subject.name, std::move(record.spec),
                      edit.now};
    RETURN_IF_ERROR(check_references(state, plan, around));
    if (plan.spec.run != model::Run::kStopped) RETURN_IF_ERROR(claim_volumes(state, plan, around));
    RETURN_IF_ERROR(write_volumes(state, plan, &before, edit.new_id, around));
    const Use more = difference(use_of(plan.spec), use_of(before));
    if (needs_more(more)) RETURN_IF_ERROR(check_quota(state, plan.project, more, around));
    join(draft, std::move(around));
    return draft;
}

void change_vm(Core& core, const CallPtr& call, bool patch) {
    auto target = vm_target(*call);
    if (!target) return call->refuse(target.error());
    if (call->request.content_type.starts_with("application/json-patch"))
        return call->refuse({ErrorCode::kUnsupported, "not supported here: JSON Patch (RFC 6902)",
                             "Content-Type",
                             "send a JSON merge patch (RFC 7396): {\"spec\": {\"cpus\": 2}}"});
    VmEdit edit{std::move(*target), call->request.body, patch, core.now(),
                [&core] { return core.new_id(); }};
    write_and_answer(core, call, 200, [edit = std::move(edit)](const view::Snapshot& state) {
        return decide(state, edit);
    });
}

}  // namespace

void replace_vm(Core& core, const CallPtr& call) { change_vm(core, call, false); }
void patch_vm(Core& core, const CallPtr& call) { change_vm(core, call, true); }

}  // namespace blixard::api
