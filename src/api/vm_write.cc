#include "api/vm_write.h"

#include <fmt/format.h>

#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::api {

Result<VmTarget> vm_target(const Call& call) {
    VmTarget target;
    target.subject = {Kind::kVm, {}, call.name};
    ASSIGN_OR_RETURN(target.subject.project, project_of(call.request));
    ASSIGN_OR_RETURN(target.seen, if_match_of(call.request));
    return target;
}

Result<const view::VmEntry*> find_vm(const view::Snapshot& state, const VmTarget& target) {
    const view::VmEntry* vm = state.vms.find(target.subject.key());
    if (!vm || !vm->record || vm->not_understood != 0)
        return fail(not_there(state, target.subject));
    RETURN_IF_ERROR(check_if_match(target.seen, vm->record->mod_revision, target.subject.text()));
    if (!vm->record->value.deleted_at.empty())
        return fail(ErrorCode::kConflict, fmt::format("{} is being deleted", target.subject.text()),
                    "wait until it is gone (?wait=deleted), and make it anew");
    return vm;
}

Draft unchanged(const view::VmEntry& vm, const VmTarget& target) {
    Draft draft;
    draft.subject = target.subject;
    draft.uid = vm.record->value.uid;
    draft.proof_key = model::vm_key(vm.project(), vm.name(), "spec");
    return draft;
}

Draft change_record(const view::VmEntry& vm, const VmTarget& target, model::VmRecord& record) {
    Draft draft = unchanged(vm, target);
    const model::VmRecord& before = vm.record->value;
    if (record == before) return draft;
    if (record.spec != before.spec && !mutant(MutantId::kGenerationKept))
        record.generation = before.generation + 1;
    if (!mutant(MutantId::kRecordOverwritten))
        draft.counts_on(draft.proof_key, vm.record->mod_revision);
    draft.put(draft.proof_key, model::to_json(record));
    return draft;
}

bool is_inactive(const view::VmEntry& vm) {
    return vm.phase == model::Phase::kPending || vm.phase == model::Phase::kStopped ||
           vm.phase == model::Phase::kFailed;
}

}  // namespace blixard::api
