// What an agent takes away: directories that nobody knows, deleted VMs with their disks, deleted
// volumes.
#include <fmt/format.h>

#include "agent/agent.h"
#include "agent/launch.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::agent {
namespace {

// A disk that cannot be deleted now, but can be later: its storage is away, or somebody has it open
// yet.
bool may_pass(ErrorCode code) {
    return code == ErrorCode::kUnavailable || code == ErrorCode::kConflict ||
           code == ErrorCode::kExhausted || code == ErrorCode::kTimeout;
}

}  // namespace

void Agent::purge(const std::string& vm, const std::string& uid) {
    deps_.hypervisor.purge(
        vm, uid, [this, vm, uid, weak = std::weak_ptr(alive_)](const Result<bool>& result) {
            if (weak.expired()) return;
            if (result) {
                std::set<std::string>& uids = leftovers_[vm];
                uids.erase(uid);
                if (uids.empty()) leftovers_.erase(vm);
                return step_done(vm);
            }
            deps_.log.warn("directory not removed",
                           {{"vm", vm}, {"error", describe(result.error())}});
            deps_.executor.after(kRetryStatus, [this, vm, weak] {
                if (!weak.expired()) step_done(vm);
            });
        });
}

void Agent::finish_vm(const std::string& vm, const view::VmEntry& entry) {
    // Its own disks first: a record without a file is repaired by looking again, a file without a
    // record is not.
    const view::SnapshotPtr state = deps_.view.current();
    auto left = std::make_shared<int>(1);
    auto later = std::make_shared<bool>(false);
    const auto one_done = [this, vm, state, left, later,
                           weak = std::weak_ptr(alive_)](const Result<bool>& result) {
        if (weak.expired()) return;
        if (!result) {
            deps_.log.warn("disk not deleted", {{"vm", vm}, {"error", describe(result.error())}});
            *later |= may_pass(result.error().code);
        }
        if (--*left != 0) return;
        if (!*later || mutant(MutantId::kDiskFailureSwallowed)) return delete_records(vm, state);
        deps_.executor.after(kRetryDisk, [this, vm, weak] {
            if (!weak.expired()) step_done(vm);
        });
    };
    for (const model::Disk& disk : entry.record->value.spec.disks) {
        if (!disk.volume.empty()) continue;
        const view::VolumeEntry* volume = state->volumes.find(
            fmt::format("{}/{}", entry.project(), model::volume_name(entry.name(), disk)));
        if (!volume || !volume->record) continue;
        const Result<std::string> path = volume_path(settings_.storage, volume->record->value);
        if (!path) continue;
        ++*left;
        deps_.hypervisor.delete_disk(*path, one_done);
    }
    one_done(true);
}

void Agent::delete_records(const std::string& vm, view::SnapshotPtr state) {
    const view::VmEntry& entry = *state->vms.find(vm);
    store::Transaction gone;
    gone.compares.push_back(
        {model::vm_key(entry.project(), entry.name(), "spec"), entry.record->mod_revision});
    gone.compares.push_back(
        {model::vm_key(entry.project(), entry.name(), "placement"), entry.placement->mod_revision});
    for (const char* part : {"spec", "placement", "status"})
        gone.deletes.push_back(model::vm_key(entry.project(), entry.name(), part));
    for (const model::Disk& disk : entry.record->value.spec.disks) {
        if (!disk.volume.empty()) continue;
        for (const char* part : {"spec", "status"})
            gone.deletes.push_back(
                model::volume_key(entry.project(), model::volume_name(entry.name(), disk), part));
    }
    deps_.store.commit(std::move(gone), [this, vm, weak = std::weak_ptr(alive_)](
                                            const Result<store::Committed>& done) {
        if (weak.expired()) return;
        if (!done)
            deps_.log.warn("records not deleted yet",
                           {{"vm", vm}, {"error", describe(done.error())}});
        deps_.executor.after(done ? Millis{0} : kRetryStatus, [this, vm, weak] {
            if (!weak.expired()) step_done(vm);
        });
    });
}

void Agent::note_volume(const view::VolumeEntry& volume) {
    if (volume.record && !volume.record->value.deleted_at.empty())
        volumes_deleted_.insert(volume.key);
}

void Agent::note_deleted_volumes() {
    deps_.view.current()->volumes.for_each(
        [&](const std::shared_ptr<const view::VolumeEntry>& volume) { note_volume(*volume); });
}

// Volumes of their own that people deleted and that live here.
void Agent::remove_volumes() {
    if (!working_) return;
    const view::SnapshotPtr state = deps_.view.current();
    std::erase_if(volumes_deleted_, [&](const std::string& key) {
        const view::VolumeEntry* volume = state->volumes.find(key);
        return !volume || !volume->record || volume->record->value.deleted_at.empty();
    });
    for (const std::string& key : volumes_deleted_) {
        if (volumes_deleting_.contains(key)) continue;
        const auto volume = state->volumes.find_shared(key);
        // A shared file is deleted by whoever sees it: the record goes once, deleting again is
        // nothing.
        const std::string& pool = volume->record->value.pool;
        const bool here = pool.empty()
                              ? volume->status && volume->status->value.node == settings_.node
                              : settings_.storage.pools.contains(pool);
        if (!here) continue;
        const Result<std::string> path = volume_path(settings_.storage, volume->record->value);
        if (!path) continue;
        volumes_deleting_.insert(volume->key);
        deps_.hypervisor.delete_disk(*path, [this, volume, weak = std::weak_ptr(alive_)](
                                                const Result<bool>& result) {
            if (weak.expired()) return;
            if (!result) {
                deps_.log.warn("volume not deleted",
                               {{"volume", volume->key}, {"error", describe(result.error())}});
                deps_.executor.after(kRetryDisk, [this, volume, weak] {
                    if (weak.expired()) return;
                    if (!mutant(MutantId::kRetryForgotten)) volumes_deleting_.erase(volume->key);
                    remove_volumes();
                });
                return;
            }
            volumes_deleting_.erase(volume->key);
            store::Transaction gone;
            gone.compares.push_back({model::volume_key(volume->project(), volume->name(), "spec"),
                                     volume->record->mod_revision});
            for (const char* part : {"spec", "status"})
                gone.deletes.push_back(model::volume_key(volume->project(), volume->name(), part));
            deps_.store.commit(std::move(gone), [](const Result<store::Committed>&) {});
        });
    }
}

}  // namespace blixard::agent
