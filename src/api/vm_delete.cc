// DELETE of a VM. Where a host has something of it, that host's agent finishes; else it is gone at
// once.
#include <fmt/format.h>

#include "agent/launch.h"
#include "api/operations.h"
#include "api/vm_spec.h"
#include "api/vm_write.h"

namespace blixard::api {
namespace {

struct Deletion {
    VmTarget target;
    bool force = false;
    std::string now;
};

Status check_stopped(const view::VmEntry& vm, const Deletion& deletion) {
    if (deletion.force || is_inactive(vm)) return {};
    return fail(
        ErrorCode::kConflict,
        fmt::format("{} is {}", deletion.target.subject.text(), model::phase_name(vm.phase)),
        fmt::format(
            "stop it first: blixard stop {0}; or delete it as it is: blixard delete --force {0}",
            deletion.target.subject.name));
}

// Its agent stops it, removes its disks, and then its records.
Draft hand_to_agent(const view::VmEntry& vm, const Deletion& deletion) {
    model::VmRecord record = vm.record->value;
    if (record.deleted_at.empty()) record.deleted_at = deletion.now;
    record.spec.run = model::Run::kStopped;
    record.force = record.force || deletion.force;
    return change_record(vm, deletion.target, record);
}

Draft delete_now(const view::Snapshot& state, const view::VmEntry& vm, const Deletion& deletion) {
    Draft draft = unchanged(vm, deletion.target);
    draft.counts_on(draft.proof_key, vm.record->mod_revision);
    draft.counts_on(model::vm_key(vm.project(), vm.name(), "placement"),
                    vm.placement ? vm.placement->mod_revision : 0);
    for (const char* part : {"spec", "placement", "status"})
        draft.erase(model::vm_key(vm.project(), vm.name(), part));
    for (const model::Disk& disk : vm.record->value.spec.disks) {
        if (!disk.volume.empty()) continue;
        const view::VolumeEntry* volume = state.volumes.find(
            fmt::format("{}/{}", vm.project(), model::volume_name(vm.name(), disk)));
        if (volume && volume->record) remove_volume(*volume, deletion.now, draft);
    }
    return draft;
}

// What a newer version wrote of a volume that goes with its VM would be left behind.
Status check_own_volumes_are_read(const view::Snapshot& state, const view::VmEntry& vm) {
    if (state.unread.empty()) return {};
    for (const model::Disk& disk : vm.record->value.spec.disks) {
        const std::string name = model::volume_name(vm.name(), disk);
        if (disk.volume.empty() && state.unread.find(model::volume_key(vm.project(), name, "spec")))
            return fail(not_understood({Kind::kVolume, std::string(vm.project()), name}));
    }
    return {};
}

Result<Draft> decide(const view::Snapshot& state, const Deletion& deletion) {
    const view::VmEntry* vm = state.vms.find(deletion.target.subject.key());
    if (!vm || !vm->record || vm->not_understood != 0)
        return fail(not_there(state, deletion.target.subject));
    RETURN_IF_ERROR(check_if_match(deletion.target.seen, vm->record->mod_revision,
                                   deletion.target.subject.text()));
    const bool going = !vm->record->value.deleted_at.empty();
    if (!going) RETURN_IF_ERROR(check_stopped(*vm, deletion));
    RETURN_IF_ERROR(check_own_volumes_are_read(state, *vm));
    return vm->node().empty() ? delete_now(state, *vm, deletion) : hand_to_agent(*vm, deletion);
}

}  // namespace

void delete_vm(Core& core, const CallPtr& call) {
    auto target = vm_target(*call);
    if (!target) return call->refuse(target.error());
    const auto force = flag_of(call->request, "force");
    if (!force) return call->refuse(force.error());
    Deletion deletion{std::move(*target), *force, core.now()};
    write_and_answer(core, call, 202,
                     [deletion = std::move(deletion)](const view::Snapshot& state) {
                         return decide(state, deletion);
                     });
}

}  // namespace blixard::api
