// Volumes that stand alone; those of VMs' own disks are made and deleted along with the VM.
#include <fmt/format.h>

#include "agent/launch.h"
#include "api/deletion.h"
#include "api/operations.h"
#include "api/quota.h"
#include "api/vm_spec.h"
#include "model/documents.h"
#include "model/merge_patch.h"
#include "model/requests.h"
#include "model/validate.h"

namespace blixard::api {
namespace {

struct NewVolume {
    Subject subject;
    model::VolumeRecord record;
};

Result<NewVolume> parse_new_volume(Core& core, const Call& call) {
    ASSIGN_OR_RETURN(model::VolumeCreate request, model::parse_volume_create(call.request.body));
    RETURN_IF_ERROR(model::validate(request));
    NewVolume wanted{{Kind::kVolume, std::move(request.project), std::move(request.name)}, {}};
    if (wanted.subject.project.empty()) {
        ASSIGN_OR_RETURN(wanted.subject.project, project_of(call.request));
    }
    wanted.record.uid = core.new_id();
    wanted.record.created_at = core.now();
    wanted.record.size_mib = request.size_mib;
    wanted.record.format = request.format;
    wanted.record.image = std::move(request.image);
    wanted.record.pool = std::move(request.pool);
    wanted.record.labels = std::move(request.labels);
    return wanted;
}

Status take_image(const view::Snapshot& state, model::VolumeRecord& record, Draft& draft) {
    if (record.image.empty()) return {};
    ASSIGN_OR_RETURN(const model::Image* image, check_image(state, record.image, "image", draft));
    const model::ImageFile* disk = agent::image_files(*image).disk;
    if (!disk)
        return fail_field("image",
                          fmt::format("image \"{}\" has no disk to make a volume of", record.image),
                          "leave image out for a blank volume");
    if (record.format == model::DiskFormat::kRaw)
        return fail_field("format", "a volume on top of an image cannot be raw",
                          "take qcow2, or leave format out");
    if (record.size_mib == 0) record.size_mib = disk->virtual_size_mib;
    if (record.size_mib >= disk->virtual_size_mib) return {};
    return fail_field("size_mib",
                      fmt::format("image \"{}\" needs {} MiB, asked for {} MiB", record.image,
                                  disk->virtual_size_mib, record.size_mib),
                      "make it as large, or leave size_mib out");
}

Result<Draft> decide_create(const view::Snapshot& state, const NewVolume& wanted) {
    Draft draft;
    draft.subject = wanted.subject;
    draft.uid = wanted.record.uid;
    if (state.volumes.find(wanted.subject.key()))
        return fail(Error{ErrorCode::kExists,
                          fmt::format("{} is there already", wanted.subject.text()), "name",
                          "take another name, or delete it first"});
    RETURN_IF_ERROR(check_project(state, wanted.subject.project, draft));
    RETURN_IF_ERROR(check_pool(state, wanted.record.pool, "pool"));
    model::VolumeRecord record = wanted.record;
    RETURN_IF_ERROR(take_image(state, record, draft));
    RETURN_IF_ERROR(
        check_quota(state, wanted.subject.project, {.disk_mib = record.size_mib}, draft));
    const std::string key = model::volume_key(wanted.subject.project, wanted.subject.name, "spec");
    draft.counts_on_absence(key).put_proven(key, model::to_json(record), draft.uid);
    return draft;
}

struct VolumeTarget {
    Subject subject;
    std::optional<store::Revision> seen;
    std::string now;
};

Result<VolumeTarget> volume_target(Core& core, const Call& call) {
    VolumeTarget target{{Kind::kVolume, {}, call.name}, {}, core.now()};
    ASSIGN_OR_RETURN(target.subject.project, project_of(call.request));
    ASSIGN_OR_RETURN(target.seen, if_match_of(call.request));
    return target;
}

Result<const view::VolumeEntry*> find_volume(const view::Snapshot& state,
                                             const VolumeTarget& target) {
    const view::VolumeEntry* volume = state.volumes.find(target.subject.key());
    if (!volume || !volume->record) return fail(not_there(state, target.subject));
    RETURN_IF_ERROR(
        check_if_match(target.seen, volume->record->mod_revision, target.subject.text()));
    return volume;
}

// The VMs with a disk on the volume.
Users users_of(const view::Snapshot& state, const Subject& volume) {
    Users users;
    state.for_each_vm_using(
        view::volume_use(volume.project, volume.name),
        [&](const view::VmEntry& vm) { users.add("vm " + std::string(vm.name())); });
    return users;
}

// Those that are up. The others do not come up meanwhile: what their agents last said is compared.
Users running_users_of(const view::Snapshot& state, const Subject& volume, Draft& draft) {
    Users users;
    state.for_each_vm_using(
        view::volume_use(volume.project, volume.name), [&](const view::VmEntry& vm) {
            const bool down =
                vm.phase == model::Phase::kPending || vm.phase == model::Phase::kStopped;
            if (!down) return users.add("vm " + std::string(vm.name()));
            draft.counts_on(model::vm_key(vm.project(), vm.name(), "status"),
                            vm.status ? vm.status->mod_revision : 0);
        });
    return users;
}

Status check_growth(const view::Snapshot& state, const VolumeTarget& target,
                    const model::VolumeRecord& before, std::int64_t size_mib, Draft& draft) {
    if (size_mib == before.size_mib) return {};
    if (!before.vm.empty())
        return fail_field("size_mib", fmt::format("the volume is a disk of vm \"{}\"", before.vm),
                          "change the size_mib of the VM's disk instead");
    if (const Users users = running_users_of(state, target.subject, draft); !users.empty())
        return fail(ErrorCode::kConflict,
                    fmt::format("{} is in use by {} and cannot grow now", target.subject.text(),
                                users.text()),
                    "stop them first");
    RETURN_IF_ERROR(check_uses_are_known(state, target.subject));
    return check_quota(state, target.subject.project, {.disk_mib = size_mib - before.size_mib},
                       draft);
}

Result<Draft> decide_patch(const view::Snapshot& state, const VolumeTarget& target,
                           const std::string& patch) {
    ASSIGN_OR_RETURN(const view::VolumeEntry* volume, find_volume(state, target));
    const model::VolumeRecord& before = volume->record->value;
    if (!before.deleted_at.empty())
        return fail(ErrorCode::kConflict,
                    fmt::format("{} is being deleted", target.subject.text()));
    const std::string was = model::to_json(model::VolumeChange{before.size_mib, before.labels, {}});
    ASSIGN_OR_RETURN(const std::string body, model::merge_patch(was, patch));
    ASSIGN_OR_RETURN(const model::VolumeChange change, model::parse_volume_change(body, was));
    RETURN_IF_ERROR(model::validate(change));
    RETURN_IF_ERROR(model::validate_change(before, change));
    Draft draft;
    draft.subject = target.subject;
    draft.uid = before.uid;
    RETURN_IF_ERROR(check_growth(state, target, before, change.size_mib, draft));
    model::VolumeRecord record = before;
    record.size_mib = change.size_mib;
    record.labels = change.labels;
    if (record == before) return draft;
    const std::string key = model::volume_key(target.subject.project, target.subject.name, "spec");
    draft.counts_on(key, volume->record->mod_revision).put_proven(key, model::to_json(record));
    return draft;
}

Result<Draft> decide_delete(const view::Snapshot& state, const VolumeTarget& target) {
    ASSIGN_OR_RETURN(const view::VolumeEntry* volume, find_volume(state, target));
    if (const Users users = users_of(state, target.subject); !users.empty())
        return fail(ErrorCode::kConflict,
                    fmt::format("{} is used by {}", target.subject.text(), users.text()),
                    "remove the disk from it, or delete it first");
    RETURN_IF_ERROR(check_uses_are_known(state, target.subject));
    Draft draft;
    draft.subject = target.subject;
    draft.uid = volume->record->value.uid;
    if (!volume->record->value.deleted_at.empty()) return draft;
    remove_volume(*volume, target.now, draft);
    draft.proof_key = model::volume_key(target.subject.project, target.subject.name, "spec");
    return draft;
}

}  // namespace

void create_volume(Core& core, const CallPtr& call) {
    auto wanted = parse_new_volume(core, *call);
    if (!wanted) return call->refuse(wanted.error());
    write_and_answer(core, call, 201, [wanted = std::move(*wanted)](const view::Snapshot& state) {
        return decide_create(state, wanted);
    });
}

void patch_volume(Core& core, const CallPtr& call) {
    auto target = volume_target(core, *call);
    if (!target) return call->refuse(target.error());
    write_and_answer(core, call, 200,
                     [target = std::move(*target), call](const view::Snapshot& state) {
                         return decide_patch(state, target, call->request.body);
                     });
}

void delete_volume(Core& core, const CallPtr& call) {
    auto target = volume_target(core, *call);
    if (!target) return call->refuse(target.error());
    write_and_answer(core, call, 200, [target = std::move(*target)](const view::Snapshot& state) {
        return decide_delete(state, target);
    });
}

}  // namespace blixard::api
