#include "api/vm_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "agent/launch.h"
#include "api/deletion.h"
#include "api/vm_write.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/validate.h"
#include "view/volume_file.h"

namespace blixard::api {
namespace {

constexpr std::string_view kRootDisk = "root";
constexpr std::string_view kFirstNic = "net0";

const model::ImageFile* disk_of(const view::Snapshot& state, const std::string& image) {
    const view::ImageEntry* entry = image.empty() ? nullptr : state.images.find(image);
    return entry ? agent::image_files(entry->record->value).disk : nullptr;
}

const model::Disk* find_disk(const model::VmSpec* spec, std::string_view name) {
    if (!spec) return nullptr;
    const auto found = std::find_if(spec->disks.begin(), spec->disks.end(),
                                    [&](const model::Disk& disk) { return disk.name == name; });
    return found == spec->disks.end() ? nullptr : &*found;
}

std::string disk_field(std::size_t index, std::string_view member) {
    return fmt::format("spec.disks[{}].{}", index, member);
}

Status complete_root(const model::ImageFile& image, model::Disk& root, const std::string& name) {
    if (!root.volume.empty()) return {};
    if (root.size_mib == 0) root.size_mib = image.virtual_size_mib;
    if (root.size_mib < image.virtual_size_mib)
        return fail_field(disk_field(0, "size_mib"),
                          fmt::format("image \"{}\" needs {} MiB, asked for {} MiB", name,
                                      image.virtual_size_mib, root.size_mib),
                          "make it as large, or leave size_mib out");
    if (root.format == model::DiskFormat::kRaw)
        return fail_field(disk_field(0, "format"), "a disk on top of an image cannot be raw",
                          "take qcow2, or leave format out");
    return {};
}

// Of a VM or a volume in the state.
std::string key_of_name(std::string_view project, std::string_view name) {
    return fmt::format("{}/{}", project, name);
}

bool runs_or_will(const view::VmEntry& vm) {
    return vm.record && (vm.record->value.spec.run != model::Run::kStopped ||
                         (vm.phase != model::Phase::kStopped && vm.phase != model::Phase::kFailed &&
                          vm.phase != model::Phase::kPending));
}

// Its record is written anew, with the next epoch: two VMs that take it, or one that takes it while
// it is deleted, cannot both succeed, and who had it before opens it no more (docs/FENCING.md).
void take_volume(const view::VolumeEntry& volume, Draft& draft) {
    model::VolumeRecord record = volume.record->value;
    if (!mutant(MutantId::kVolumeEpochKept)) ++record.epoch;
    std::string key = model::volume_key(volume.project(), volume.name(), "spec");
    draft.counts_on(key, volume.record->mod_revision).put(std::move(key), model::to_json(record));
}

Status check_named_volume(const view::Snapshot& state, const VmPlan& vm, std::size_t index,
                          Draft& draft) {
    const std::string& name = vm.spec.disks[index].volume;
    const view::VolumeEntry* volume = state.volumes.find(key_of_name(vm.project, name));
    if (!volume || !volume->record)
        return fail_field(
            disk_field(index, "volume"),
            fmt::format("there is no volume \"{}\" in project \"{}\"", name, vm.project),
            fmt::format("create it with: blixard volume create {}", name));
    const model::VolumeRecord& record = volume->record->value;
    if (!record.deleted_at.empty())
        return fail_field(disk_field(index, "volume"),
                          fmt::format("volume \"{}\" is being deleted", name));
    if (!record.vm.empty())
        return fail_field(
            disk_field(index, "volume"),
            fmt::format("volume \"{}\" belongs to vm \"{}\" and goes with it", name, record.vm),
            "make a volume that stands alone: blixard volume create");
    take_volume(*volume, draft);
    return {};
}

model::VolumeRecord new_volume(const view::Snapshot& state, const VmPlan& vm, std::size_t index,
                               std::string uid) {
    const model::Disk& disk = vm.spec.disks[index];
    model::VolumeRecord volume;
    volume.uid = std::move(uid);
    volume.created_at = vm.created_at;
    volume.size_mib = disk.size_mib;
    volume.format = disk.format;
    volume.pool = disk.pool;
    volume.vm = vm.name;
    if (index == 0 && disk_of(state, vm.spec.image)) volume.image = vm.spec.image;
    return volume;
}

Status add_volume(const view::Snapshot& state, const VmPlan& vm, std::size_t index, std::string uid,
                  Draft& draft) {
    RETURN_IF_ERROR(check_pool(state, vm.spec.disks[index].pool, disk_field(index, "pool")));
    const std::string name = model::volume_name(vm.name, vm.spec.disks[index]);
    if (const Status valid = model::validate_name(name, disk_field(index, "name")); !valid)
        return fail_field(
            disk_field(index, "name"),
            fmt::format("its volume would be named \"{}\", of {} characters; at most {} are "
                        "allowed",
                        name, name.size(), model::kNameLengthMax),
            "shorten the name of the disk or of the VM");
    if (state.volumes.find(key_of_name(vm.project, name)))
        return fail(Error{
            ErrorCode::kExists,
            fmt::format("the disk's volume would be named \"{}\", and there is one of that name",
                        name),
            disk_field(index, "name"),
            "rename the disk, or use that volume: {\"volume\": \"" + name + "\"}"});
    const std::string key = model::volume_key(vm.project, name, "spec");
    draft.counts_on_absence(key).put(key,
                                     model::to_json(new_volume(state, vm, index, std::move(uid))));
    return {};
}

Error must_be_stopped(std::size_t index, const VmPlan& vm, std::string_view what) {
    return {ErrorCode::kConflict,
            fmt::format("a disk of vm \"{}\" cannot be {} while the VM runs", vm.name, what),
            disk_field(index, "name"), fmt::format("stop it first: blixard stop {}", vm.name)};
}

// Only of a VM that does not run, and does not begin to meanwhile: a start compares the spec, and
// this compares what the agent last said.
Status needs_rest(const view::Snapshot& state, const VmPlan& vm, std::size_t index,
                  std::string_view what, Draft& draft) {
    const view::VmEntry* entry = state.vms.find(key_of_name(vm.project, vm.name));
    const bool rests = !entry || is_inactive(*entry) || mutant(MutantId::kDetachedRunning);
    if (!rests) return fail(must_be_stopped(index, vm, what));
    const std::string status = model::vm_key(vm.project, vm.name, "status");
    if (!mutant(MutantId::kRestUncompared))
        draft.counts_on(status, entry && entry->status ? entry->status->mod_revision : 0);
    return {};
}

Status grow_volume(const view::Snapshot& state, const VmPlan& vm, std::size_t index, Draft& draft) {
    const model::Disk& disk = vm.spec.disks[index];
    const std::string name = model::volume_name(vm.name, disk);
    const view::VolumeEntry* volume = state.volumes.find(key_of_name(vm.project, name));
    if (!volume || !volume->record || volume->record->value.size_mib == disk.size_mib) return {};
    RETURN_IF_ERROR(needs_rest(state, vm, index, "grown", draft));
    model::VolumeRecord grown = volume->record->value;
    grown.size_mib = disk.size_mib;
    const std::string key = model::volume_key(vm.project, name, "spec");
    draft.counts_on(key, volume->record->mod_revision).put(key, model::to_json(grown));
    return {};
}

// It runs, or will, with that volume already: who came after it minded that.
bool has_claimed(const view::Snapshot& state, const VmPlan& vm, const model::Disk& disk) {
    const view::VmEntry* entry = state.vms.find(key_of_name(vm.project, vm.name));
    return entry && entry->record && entry->record->value.spec.run != model::Run::kStopped &&
           std::ranges::any_of(entry->record->value.spec.disks, [&](const model::Disk& each) {
               return each.volume == disk.volume && (disk.read_only || !each.read_only);
           });
}

// No other VM that is up, or will be, uses the disk's volume; but both may read it.
Status check_no_other_uses(const view::Snapshot& state, const VmPlan& vm, std::size_t index) {
    const model::Disk& ours = vm.spec.disks[index];
    if (ours.volume.empty()) return {};
    const auto clashes = [&](const model::Disk& theirs) {
        return theirs.volume == ours.volume && !(ours.read_only && theirs.read_only);
    };
    Status verdict;
    state.for_each_vm_using(
        view::volume_use(vm.project, ours.volume), [&](const view::VmEntry& other) {
            if (!verdict || other.name() == vm.name || !runs_or_will(other)) return;
            const auto& disks = other.record->value.spec.disks;
            if (std::none_of(disks.begin(), disks.end(), clashes)) return;
            verdict =
                fail(Error{ErrorCode::kConflict,
                           fmt::format("volume \"{}\" is used by vm \"{}\", which is {}",
                                       ours.volume, other.name(), model::phase_name(other.phase)),
                           disk_field(index, "volume"),
                           fmt::format("stop it first: blixard stop {}", other.name())});
        });
    if (!verdict || has_claimed(state, vm, ours)) return verdict;
    verdict = check_uses_are_known(state, {Kind::kVolume, vm.project, ours.volume});
    if (!verdict) verdict.error().field = disk_field(index, "volume");
    return verdict;
}

// A VM that has its place is not moved to where a volume's file is.
Status check_file_is_there(const view::Snapshot& state, const VmPlan& vm, std::size_t index) {
    const std::string& name = vm.spec.disks[index].volume;
    const view::VolumeEntry* volume = state.volumes.find(key_of_name(vm.project, name));
    const view::VmEntry* entry = state.vms.find(key_of_name(vm.project, vm.name));
    const std::string_view place = entry ? entry->node() : std::string_view{};
    const std::string_view there = volume ? view::host_of_file(*volume) : std::string_view{};
    if (place.empty() || there.empty() || place == there || !state.nodes.find(there)) return {};
    return fail(Error{ErrorCode::kConflict,
                      fmt::format("volume \"{}\" is on host {}, and vm \"{}\" on host {}", name,
                                  there, vm.name, place),
                      disk_field(index, "volume"),
                      "stop the VM first: it is placed where its volumes are when it starts"});
}

}  // namespace

std::string deletion_key(Kind kind, std::string_view name) {
    return fmt::format("deleting/{}s/{}", kind_name(kind), name);
}

Status complete_spec(const view::Snapshot& state, model::VmSpec& spec,
                     const model::VmSpec* before) {
    const model::ImageFile* image = disk_of(state, spec.image);
    if (image && spec.disks.empty()) spec.disks.push_back({.name = std::string(kRootDisk)});
    for (model::Disk& disk : spec.disks) {
        const model::Disk* old = find_disk(before, disk.name);
        if (old && disk.size_mib == 0) disk.size_mib = old->size_mib;
    }
    if (spec.nics.empty()) spec.nics.push_back({.name = std::string(kFirstNic)});
    if (image) return complete_root(*image, spec.disks.front(), spec.image);
    if (!spec.disks.empty() && spec.disks.front().volume.empty() &&
        spec.disks.front().size_mib == 0)
        return fail_field(
            disk_field(0, "size_mib"),
            fmt::format("image \"{}\" has no disk, so this one is blank and needs a size",
                        spec.image),
            "give size_mib, or leave the disk out");
    return {};
}

Result<const model::Image*> check_image(const view::Snapshot& state, const std::string& image,
                                        std::string_view field, Draft& draft) {
    const view::ImageEntry* entry = state.images.find(image);
    if (!entry)
        return fail_field(std::string(field),
                          fmt::format("image \"{}\" is not on this cluster", image),
                          fmt::format("import it with: blixard image import FILE {}", image));
    draft.counts_on(model::image_key(image), entry->revision)
        .counts_on_absence(deletion_key(Kind::kImage, image));
    return &entry->record->value;
}

Status check_pool(const view::Snapshot& state, const std::string& pool, std::string_view field) {
    if (pool.empty()) return {};
    bool any_host = false, found = false;
    std::set<std::string> pools;
    state.nodes.scan({}, [&](const std::shared_ptr<const view::NodeEntry>& host) {
        if (!host->status) return true;
        any_host = true;
        const auto& here = host->status->value.pools;
        found = std::find(here.begin(), here.end(), pool) != here.end();
        pools.insert(here.begin(), here.end());
        return !found;
    });
    if (found || !any_host) return {};  // before a host has said anything, nobody knows
    constexpr std::string_view kLocal = "leave it out for a disk on the VM's own host";
    return fail_field(std::string(field), fmt::format("no host has a pool \"{}\"", pool),
                      pools.empty() ? fmt::format("no host has any; name it under [pools] in the "
                                                  "hosts' configuration, or {}",
                                                  kLocal)
                                    : fmt::format("pools: {}; {}", fmt::join(pools, ", "), kLocal));
}

Status check_project(const view::Snapshot& state, const std::string& project, Draft& draft) {
    const view::ProjectEntry* entry = state.projects.find(project);
    if (!entry)
        return fail_field("project", fmt::format("there is no project \"{}\"", project),
                          fmt::format("create it with: blixard project create {}", project));
    draft.counts_on(model::project_key(project), entry->revision)
        .counts_on_absence(deletion_key(Kind::kProject, project));
    return {};
}

Status check_references(const view::Snapshot& state, const VmPlan& vm, Draft& draft) {
    RETURN_IF_ERROR(check_project(state, vm.project, draft));
    if (!vm.spec.image.empty())
        RETURN_IF_ERROR(check_image(state, vm.spec.image, "spec.image", draft));
    for (std::size_t i = 0; i < vm.spec.disks.size(); ++i)
        if (!vm.spec.disks[i].volume.empty())
            RETURN_IF_ERROR(check_named_volume(state, vm, i, draft));
    return {};
}

Status claim_volumes(const view::Snapshot& state, const VmPlan& vm, Draft& draft) {
    const bool named = std::any_of(vm.spec.disks.begin(), vm.spec.disks.end(),
                                   [](const model::Disk& disk) { return !disk.volume.empty(); });
    if (!named || mutant(MutantId::kVolumeUnclaimed)) return {};
    for (std::size_t i = 0; i < vm.spec.disks.size(); ++i) {
        RETURN_IF_ERROR(check_no_other_uses(state, vm, i));
        RETURN_IF_ERROR(check_file_is_there(state, vm, i));
    }
    for (const model::Disk& disk : vm.spec.disks) {
        const std::string key = model::volume_key(vm.project, disk.volume, "spec");
        const bool claimed =
            std::any_of(draft.transaction.puts.begin(), draft.transaction.puts.end(),
                        [&](const store::Put& put) { return put.key == key; });
        const view::VolumeEntry* volume =
            disk.volume.empty() || claimed
                ? nullptr
                : state.volumes.find(key_of_name(vm.project, disk.volume));
        if (volume && volume->record) take_volume(*volume, draft);
    }
    return {};
}

void remove_volume(const view::VolumeEntry& volume, const std::string& now, Draft& draft) {
    const std::string spec = model::volume_key(volume.project(), volume.name(), "spec");
    const std::string status = model::volume_key(volume.project(), volume.name(), "status");
    draft.counts_on(spec, volume.record ? volume.record->mod_revision : 0);
    // A file that was made: on one host, or on storage that all share. An agent deletes it first.
    const bool made = volume.record && volume.status &&
                      (!volume.status->value.node.empty() ||
                       (!volume.record->value.pool.empty() &&
                        volume.status->value.state == model::VolumeState::kReady));
    if (!made) {
        draft.counts_on(status, volume.status ? volume.status->mod_revision : 0)
            .erase(spec)
            .erase(status);
        return;
    }
    model::VolumeRecord record = volume.record->value;
    record.vm.clear();
    if (record.deleted_at.empty()) record.deleted_at = now;
    draft.put(spec, model::to_json(record));
}

Status write_volumes(const view::Snapshot& state, const VmPlan& vm, const model::VmSpec* before,
                     const std::function<std::string()>& new_id, Draft& draft) {
    for (std::size_t i = 0; i < vm.spec.disks.size(); ++i) {
        const model::Disk& disk = vm.spec.disks[i];
        if (!disk.volume.empty()) continue;
        RETURN_IF_ERROR(find_disk(before, disk.name) ? grow_volume(state, vm, i, draft)
                                                     : add_volume(state, vm, i, new_id(), draft));
    }
    if (!before) return {};
    for (const model::Disk& disk : before->disks) {
        const model::Disk* now = find_disk(&vm.spec, disk.name);
        if (now && now->read_only == disk.read_only) continue;
        RETURN_IF_ERROR(needs_rest(state, vm, 0, now ? "changed" : "removed", draft));
        if (now || !disk.volume.empty()) continue;
        const view::VolumeEntry* volume =
            state.volumes.find(key_of_name(vm.project, model::volume_name(vm.name, disk)));
        if (volume) remove_volume(*volume, vm.created_at, draft);
    }
    return {};
}

}  // namespace blixard::api
