// How an agent starts a VM: its image's files first, then the store's consent, then the hypervisor.
#include <fmt/format.h>

#include "agent/agent.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::agent {

void Agent::start_vm(const std::string& vm, const view::VmEntry& entry) {
    vms_[vm].starting_reported = true;
    const view::SnapshotPtr state = deps_.view.current();
    const view::ImageEntry* image = state->images.find(entry.record->value.spec.image);
    if (!image) {
        const Result<hypervisor::Launch> why = make_launch(*state, entry, settings_.storage, {});
        return start_failed(vm, why ? Error{} : why.error());
    }
    // One file after the other; each is local already or fetched.
    struct Gather {
        std::vector<std::string> missing;
        std::map<std::string, std::string> paths;
        std::function<void()> next;
    };
    auto gather = std::make_shared<Gather>();
    gather->missing = needed_blobs(image->record->value);
    for (const model::Disk& disk : entry.record->value.spec.disks) {
        const view::VolumeEntry* volume = state->volumes.find(
            fmt::format("{}/{}", entry.project(), model::volume_name(entry.name(), disk)));
        const view::ImageEntry* base =
            volume && volume->record ? state->images.find(volume->record->value.image) : nullptr;
        if (base)
            for (std::string& sha : needed_blobs(base->record->value))
                gather->missing.push_back(std::move(sha));
    }
    gather->next = [this, vm, state, weak = std::weak_ptr(alive_), self = std::weak_ptr(gather)] {
        const auto gather = self.lock();
        if (weak.expired() || !gather) return;
        if (gather->missing.empty()) {
            const view::VmEntry* entry = state->vms.find(vm);
            Result<hypervisor::Launch> launch =
                make_launch(*state, *entry, settings_.storage, gather->paths);
            if (!launch) return start_failed(vm, launch.error());
            return announce_start(vm, std::move(*launch), state);
        }
        std::string sha = std::move(gather->missing.back());
        gather->missing.pop_back();
        deps_.blobs.ensure(sha, [this, vm, sha, gather, weak](Result<std::string> path) {
            if (weak.expired()) return;
            if (!path) return files_missing(vm, path.error());
            gather->paths[sha] = std::move(*path);
            gather->next();
        });
    };
    gather->next();
}

// The store has to agree that this host may start this VM: its placement and this host's lease are
// as we saw them.
void Agent::announce_start(const std::string& vm, hypervisor::Launch launch,
                           view::SnapshotPtr state) {
    const view::VmEntry& entry = *state->vms.find(vm);
    const model::VmStatus status =
        status_for(entry, nullptr, model::Phase::kStarting, "", vms_[vm]);
    store::Transaction transaction;
    // What is started is what is wanted: a disk that was taken from it may be another VM's by now.
    if (!mutant(MutantId::kSpecUncompared))
        transaction.compares.push_back(
            {model::vm_key(entry.project(), entry.name(), "spec"), entry.record->mod_revision});
    for (const model::Disk& disk : entry.record->value.spec.disks) {
        const std::string name = model::volume_name(entry.name(), disk);
        const view::VolumeEntry* volume =
            state->volumes.find(fmt::format("{}/{}", entry.project(), name));
        if (!volume || !volume->record) continue;
        model::VolumeStatus made{.uid = volume->record->value.uid,
                                 .state = model::VolumeState::kReady};
        if (volume->record->value.pool.empty()) made.node = settings_.node;
        const bool known = volume->status && volume->status->value.uid == made.uid &&
                           volume->status->value.node == made.node &&
                           volume->status->value.state == made.state;
        if (!known) {
            transaction.compares.push_back(
                {model::volume_key(entry.project(), name, "spec"), volume->record->mod_revision});
            transaction.puts.push_back({.key = model::volume_key(entry.project(), name, "status"),
                                        .value = model::to_json(made)});
        }
    }
    if (mutant(MutantId::kStartUnannounced))
        return launch_vm(vm, std::move(launch), lease_.key_revision());
    commit_status(vm, entry, status, std::move(transaction),
                  [this, vm, launch = std::move(launch),
                   lease_key = lease_.key_revision()](bool agreed) mutable {
                      if (agreed) return launch_vm(vm, std::move(launch), lease_key);
                      deps_.executor.after(kRetryStatus, [this, vm, weak = std::weak_ptr(alive_)] {
                          if (!weak.expired()) step_done(vm);
                      });
                  });
}

void Agent::launch_vm(const std::string& vm, hypervisor::Launch launch, store::Revision lease_key) {
    ++counters_.starts;
    leftovers_[vm].insert(launch.id.uid);
    Vm& mine = vms_[vm];
    mine.memory.given_up.reset();
    mine.memory.start_not_before.reset();
    mine.memory.stopped_by.clear();  // it speaks of the last process
    mine.health_failures = 0;
    mine.health_known = mine.healthy = false;
    const std::uint64_t epoch = launch.id.epoch;
    // The store agreed under this lease. Had it ended meanwhile, another host may have the VM by
    // now, even if this host holds a new lease.
    launch.still_allowed = [this, lease_key, weak = std::weak_ptr(alive_)] {
        if (mutant(MutantId::kPreparedTooLong)) return true;
        return !weak.expired() && lease_.key_revision() == lease_key;
    };
    deps_.log.info("starting vm", {{"vm", vm}, {"epoch", epoch}});
    deps_.hypervisor.start(std::move(launch), [this, vm, weak = std::weak_ptr(alive_)](
                                                  const Result<hypervisor::Instance>& started) {
        if (weak.expired()) return;
        if (!started) return start_failed(vm, started.error());
        vms_[vm].memory.failure.clear();
        deps_.log.info("vm runs", {{"vm", vm}, {"pid", started->pid}});
        step_done(vm);
    });
}

// Nothing of it has run, and a host that has the files may come back: tried again whatever the
// restart policy says about guests that have ended.
void Agent::files_missing(const std::string& vm, const Error& error) {
    ++counters_.start_failures;
    deps_.log.warn("vm not started", {{"vm", vm}, {"error", describe(error)}});
    count_restart(vms_[vm], describe(error));
    vms_[vm].memory.files_missing = true;
    step_done(vm);
}

void Agent::start_failed(const std::string& vm, const Error& error) {
    ++counters_.start_failures;
    deps_.log.warn("vm not started", {{"vm", vm}, {"error", describe(error)}});
    Vm& mine = vms_[vm];
    count_restart(mine, describe(error));
    const view::SnapshotPtr state = deps_.view.current();
    const view::VmEntry* entry = state->vms.find(vm);
    const bool never =
        entry && entry->record && entry->record->value.spec.restart == model::Restart::kNever;
    if (never && !mutant(MutantId::kNeverGivenUp)) {
        const model::VmRecord& record = entry->record->value;
        mine.memory.start_not_before.reset();
        mine.memory.given_up =
            GivenUp{record.uid.str(), record.generation, record.restart_generation};
    }
    step_done(vm);
}

}  // namespace blixard::agent
