#include "sim/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "agent/lease.h"
#include "model/documents.h"
#include "model/extras.h"
#include "model/keys.h"
#include "model/merge_patch.h"
#include "sim/protocol.h"
#include "sim/rules.h"
#include "sim/versioned_store.h"
#include "view/view.h"

namespace blixard::sim {
namespace {

using model::Phase;
using model::RecordKind;

constexpr std::size_t kWritesASecond = 1000, kWritesASecondEach = 20;  // each: of a VM, of a host
constexpr Millis kOnItsWay = seconds(30);      // a write waits no longer for anything
constexpr Millis kHistoryKept = seconds(590);  // ControllerSettings::keep_history, less a drift

// The rule of the event stream, written down once more.
bool is_event(const store::Change& change) {
    switch (model::parse_key(change.item.key).kind) {
        case RecordKind::kVmPlacement:
        case RecordKind::kVmStatus:
        case RecordKind::kVolumeStatus:
        case RecordKind::kNodeStatus: return !change.deleted;
        case RecordKind::kElection:
        case RecordKind::kOther: return false;
        default: return true;
    }
}

// What an event must say: "<type> <project> <name>". The rule of docs/FORMATS.md, once more.
Checker::EventText event_of(const store::Change& change) {
    const model::ParsedKey key = model::parse_key(change.item.key);
    std::string_view kind = std::string_view(change.item.key).substr(0, change.item.key.find('/'));
    if (!kind.empty()) kind.remove_suffix(1);  // "vms" is of a vm
    const bool is_new = change.item.create_revision == change.item.mod_revision;
    const bool has_parts = kind == "vm" || kind == "node" || kind == "volume";
    std::string_view what = change.deleted ? "deleted"
                            : is_new       ? "created"
                            : has_parts    ? "spec"
                                           : "changed";
    if (change.item.key.ends_with("/placement")) what = "placement";
    if (change.item.key.ends_with("/status")) what = "status";
    if (change.item.key.ends_with("/lease")) what = change.deleted ? "lost" : "lease";
    return {fmt::format("{}.{}", kind, what), std::string(key.project), std::string(key.name)};
}

Checker::Use use_of(const view::VmEntry* vm) {
    if (!vm || !vm->record) return {};
    const model::VmSpec& spec = vm->record->value.spec;
    Checker::Use use{1, spec.cpus, spec.memory_mib, 0};
    for (const model::Disk& disk : spec.disks)
        if (disk.volume.empty()) use.disk_mib += disk.size_mib;
    return use;
}

// Those that stand alone; a VM's own count with its spec, and what is being deleted is on its way.
Checker::Use use_of(const view::VolumeEntry* volume) {
    const bool counts = volume && volume->record && volume->record->value.vm.empty() &&
                        volume->record->value.deleted_at.empty();
    return {0, 0, 0, counts ? volume->record->value.size_mib : 0};
}

bool ends(Phase phase) { return phase == Phase::kStopped || phase == Phase::kFailed; }

// "...; restart 3 in 20 s": the number behind `word`, or -1.
std::int64_t number_after(std::string_view text, std::string_view word) {
    const std::size_t at = text.rfind(word);
    std::int64_t number = -1;
    if (at != std::string_view::npos)
        std::from_chars(text.data() + at + word.size(), text.data() + text.size(), number);
    return number;
}

// Five seconds, and twice as long for each end before, up to five minutes (agent/plan.h).
std::int64_t backoff_most_s(std::int64_t restarts) {
    std::int64_t wait_s = 5;
    for (std::int64_t n = 1; n < restarts && wait_s < 300; ++n) wait_s *= 2;
    return std::min<std::int64_t>(wait_s, 300);
}

}  // namespace

void Checker::broken(std::string what) {
    if (failure_) return;
    trace_.add("", "BROKEN: " + what);
    failure_ = std::move(what);
}

// ---- the store ----

void Checker::on_revision() {
    const store::Revision now = backend_.history().revision();
    if (now == seen_) return;
    const auto changes = backend_.history().changes("", seen_ + 1, now);
    if (!changes) return broken("the checks lost sight of the store: " + describe(changes.error()));
    std::vector<store::Change> batch;
    for (const store::Change& change : *changes) {
        if (!batch.empty() && batch.front().item.mod_revision != change.item.mod_revision) {
            apply(batch.front().item.mod_revision, batch);
            batch.clear();
        }
        batch.push_back(change);
    }
    if (!batch.empty()) apply(batch.front().item.mod_revision, batch);
    seen_ = now;
}

// Loops that undo each other's work write for ever, and a run with them never ends.
void Checker::check_rest() {
    const std::int64_t second = clock_.mono().ms / 1000;
    if (std::exchange(second_, second) != second) writes_ = 0;
    const std::size_t most =
        kWritesASecond + kWritesASecondEach * (state_.vms.size() + state_.nodes.size());
    if (++writes_ > most)
        broken(fmt::format("the store was written {} times in one second", writes_));
}

void Checker::apply(store::Revision revision, const std::vector<store::Change>& changes) {
    check_rest();
    std::map<std::string, std::shared_ptr<const view::VmEntry>> before;
    std::map<std::string, Use> projects;  // how much more they use now
    std::vector<std::string> failovers, operations, leases_ended;
    std::vector<EventText> events;
    for (const store::Change& change : changes) {
        const model::ParsedKey key = model::parse_key(change.item.key);
        trace_.mix(change.item.key);
        trace_.mix(change.item.value);
        if (trace_.keeps() && !change.item.key.ends_with("/lease"))
            trace_.note(fmt::format("r{} {} {}", revision, change.deleted ? "deleted" : "put",
                                    change.item.key));
        if (!ledgers_.empty() && is_event(change)) events.push_back(event_of(change));
        const bool of_vm = key.kind == RecordKind::kVmSpec ||
                           key.kind == RecordKind::kVmPlacement ||
                           key.kind == RecordKind::kVmStatus;
        if (of_vm) {
            std::string vm = fmt::format("{}/{}", key.project, key.name);
            if (!before.contains(vm)) {
                const view::VmEntry* entry = state_.vms.find(vm);
                before[std::move(vm)] = entry ? std::make_shared<view::VmEntry>(*entry) : nullptr;
            }
        }
        check_stored(change, revision);
        check_kept(change);
        check_made_once(change);
        if (key.kind == RecordKind::kVolumeSpec) check_volume(change);
        if (key.kind == RecordKind::kVolumeStatus) check_volume_status(change);
        if (key.kind == RecordKind::kNodeSpec && !change.deleted) check_node(change);
        if (key.kind == RecordKind::kProject && !change.deleted) check_project(change);
        if (key.kind == RecordKind::kNodeStatus && change.deleted)
            state_.for_each_vm_on(key.name, [&](const view::VmEntry& vm) {
                if (vm.not_understood != 0) return true;
                broken(fmt::format("host {} was removed, and vm {} has its place there", key.name,
                                   vm.key));
                return true;
            });
        if (change.deleted && (key.kind == RecordKind::kImage || key.kind == RecordKind::kProject))
            check_unused(key);
        if (key.kind == RecordKind::kFailover && !change.deleted) failovers.emplace_back(key.name);
        if (key.kind == RecordKind::kOperation && !change.deleted)
            operations.emplace_back(key.name);
        if (key.kind == RecordKind::kNodeLease) note_lease(change);
        if (key.kind == RecordKind::kNodeLease && change.deleted)
            leases_ended.emplace_back(key.name);
        if (key.kind == RecordKind::kVmSpec)
            spec_changed_[fmt::format("{}/{}", key.project, key.name)] = clock_.mono();
        const bool of_volume = key.kind == RecordKind::kVolumeSpec;
        const std::string volume = of_volume ? fmt::format("{}/{}", key.project, key.name) : "";
        if (of_volume) projects[std::string(key.project)] -= use_of(state_.volumes.find(volume));
        view::apply_change(state_, change.item, change.deleted, log_);
        if (of_volume) projects[std::string(key.project)] += use_of(state_.volumes.find(volume));
        if (key.kind == RecordKind::kNodeSpec) {
            const view::NodeEntry* node = state_.nodes.find(key.name);
            if (node && node->spec && node->spec->value.draining)
                drained_since_.emplace(key.name, clock_.mono());
            else
                drained_since_.erase(std::string(key.name));
        }
    }
    state_.revision = revision;
    check_history_kept();
    for (EventLedger* ledger : ledgers_) ledger->owe(revision, events);
    for (const std::string& id : operations) check_operation(id);
    for (const std::string& id : failovers)
        if (const view::FailoverEntry* failover = state_.failovers.find(id))
            check_failover(*failover);
    for (const auto& [vm, entry] : before) check_vm(vm, entry.get(), state_.vms.find(vm));
    for (const auto& [vm, entry] : before) {
        Use& more = projects[vm.substr(0, vm.find('/'))];
        more += use_of(state_.vms.find(vm));
        more -= use_of(entry.get());
    }
    for (const auto& [project, more] : projects) check_quota(project, more);
    for (const std::string& host : leases_ended) check_lease_end(host);
}

bool Checker::runs(const std::string& uid) const {
    const auto found = processes_.find(uid);
    return found != processes_.end() && !found->second.empty();
}

void Checker::not_running(const std::string& uid, const std::string& what) {
    const auto found = processes_.find(uid);
    if (found == processes_.end()) return;
    for (const auto& [host, running] : found->second)
        if (!beyond_.contains(host))
            broken(fmt::format("{} while it ran on {} (epoch {})", what, host, running.epoch));
}

void Checker::check_vm(const std::string& vm, const view::VmEntry* before,
                       const view::VmEntry* after) {
    counted();
    note_place(vm, before, after);
    if (before && after && before->not_understood != 0 && !after->node().empty())
        grown_[std::string(after->node())] = clock_.mono();
    const bool had = before && before->record;
    const bool has = after && after->record;
    if (has && (!had || before->record->mod_revision != after->record->mod_revision))
        check_volumes(before, *after);
    if (has && !had) {
        uids_.insert(after->record->value.uid.str());
        if (!state_.projects.find(after->project()))
            broken(fmt::format("vm {} was made, and there is no project {}", vm, after->project()));
        // One that was asked for a moment ago may be on its way still.
        const auto asked = deletions_asked_.find(vm);
        if (asked != deletions_asked_.end() && clock_.mono() - asked->second > kOnItsWay)
            deletions_asked_.erase(asked);
    }
    if (had && !has) {
        if (!deletions_asked_.contains(vm))
            broken(fmt::format("vm {} is gone, and nobody had asked for it", vm));
        not_running(before->record->value.uid.str(),
                    fmt::format("the records of vm {} were deleted", vm));
        restarts_before_[vm] += before->record->value.restart_generation;
    }
    if (!had || !has || before->record->value.uid != after->record->value.uid) return;
    if (!model::phase_may_follow(before->phase, after->phase))
        broken(fmt::format("vm {} went from {} to {}, which is no legal step", vm,
                           model::phase_name(before->phase), model::phase_name(after->phase)));
    const auto written = [](const auto& was, const auto& is) {
        return is && (!was || was->mod_revision != is->mod_revision);
    };
    if (written(before->record, after->record)) check_spec(before, *after);
    if (written(before->placement, after->placement)) check_placement(before, *after);
    if (written(before->status, after->status)) check_status(before, *after);
}

void Checker::note_place(const std::string& vm, const view::VmEntry* before,
                         const view::VmEntry* after) {
    const auto uid_of = [](const view::VmEntry* entry) {
        return entry && entry->record ? entry->record->value.uid : std::string{};
    };
    const bool waits = after && after->record && after->node().empty();
    const bool waited = before && before->node().empty() && uid_of(before) == uid_of(after);
    if (!waits)
        without_place_.erase(vm);
    else if (!waited)
        without_place_[vm] = clock_.mono();
}

bool Checker::understands_all() const {
    bool all = true;
    state_.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        all = all && vm->not_understood == 0;
    });
    return all;
}

// Members of the next version's records are kept by this one (docs/FORMATS.md), as long as it is
// the same thing.
void Checker::check_kept(const store::Change& change) {
    const RecordKind kind = model::parse_key(change.item.key).kind;
    const bool kept = kind == RecordKind::kVmSpec || kind == RecordKind::kVmPlacement ||
                      kind == RecordKind::kNodeSpec || kind == RecordKind::kVolumeSpec;
    if (!kept) return;
    const auto times = [](std::string_view value) {
        int count = 0;
        for (std::size_t at = value.find(kNextMember); at != std::string_view::npos;
             at = value.find(kNextMember, at + 1))
            ++count;
        return count;
    };
    if (change.deleted || change.item.create_revision == change.item.mod_revision)
        next_members_.erase(change.item.key);
    if (change.deleted) return;
    int& before = next_members_[change.item.key];
    const int now = times(change.item.value);
    if (now < before)
        broken(fmt::format("{} has lost what a daemon of the next version wrote into it",
                           change.item.key));
    before = now;
}

// A request that is sent again does not bring back what others have deleted meanwhile.
void Checker::check_made_once(const store::Change& change) {
    const RecordKind kind = model::parse_key(change.item.key).kind;
    const bool has_uid = kind == RecordKind::kVmSpec || kind == RecordKind::kVolumeSpec ||
                         kind == RecordKind::kImage || kind == RecordKind::kProject;
    if (!has_uid) return;
    counted();
    const model::ParsedKey key = model::parse_key(change.item.key);
    const std::string name = fmt::format("{}/{}", key.project, key.name);
    const auto uid_of = [](const auto* entry) {
        return std::string(entry && entry->record ? std::string_view(entry->record->value.uid)
                                                  : "");
    };
    const auto uid = [&] {
        switch (kind) {
            case RecordKind::kVmSpec: return uid_of(state_.vms.find(name));
            case RecordKind::kVolumeSpec: return uid_of(state_.volumes.find(name));
            case RecordKind::kImage: return uid_of(state_.images.find(key.name));
            default: return uid_of(state_.projects.find(key.name));
        }
    };
    if (change.deleted) {
        gone_.insert(uid());
        return;
    }
    if (change.item.create_revision != change.item.mod_revision) return;
    const Result<std::string> made = model::select_member(change.item.value, "uid");
    if (made && made->size() > 2 && gone_.contains(made->substr(1, made->size() - 2)))
        broken(fmt::format("{} was made once more after it had been deleted", change.item.key));
}

// A volume only grows, and not under a guest; nobody names one that is gone.
void Checker::check_volume(const store::Change& change) {
    counted();
    const model::ParsedKey key = model::parse_key(change.item.key);
    const std::string name = fmt::format("{}/{}", key.project, key.name);
    const view::VolumeEntry* before = state_.volumes.find(name);
    if (!before || !before->record) return;
    const model::VolumeRecord& was = before->record->value;
    if (change.deleted && was.vm.empty())
        state_.for_each_vm_using(
            view::volume_use(key.project, key.name), [&](const view::VmEntry& vm) {
                broken(fmt::format("volume {} is gone, and vm {} names it", name, vm.key));
            });
    if (change.deleted) return;
    const auto is = model::parse_volume_record(change.item.value, model::Mode::kLenient);
    if (!is || is->uid != was.uid) return;
    if (is->size_mib < was.size_mib)
        broken(fmt::format("volume {} shrank from {} to {} MiB", name, was.size_mib, is->size_mib));
    if (!was.deleted_at.empty() && is->deleted_at.empty())
        broken(fmt::format("volume {} was being deleted, and is no more", name));
    if (is->size_mib != was.size_mib && is->labels != was.labels)
        broken(fmt::format("volume {} was grown, and its labels changed", name));
    if (is->epoch < was.epoch || is->epoch > was.epoch + 1)
        broken(fmt::format("volume {} went from epoch {} to {}", name, was.epoch, is->epoch));
    if (is->size_mib == was.size_mib) return;
    state_.for_each_vm_using(view::volume_use(key.project, key.name), [&](const view::VmEntry& vm) {
        if (!vm.node().empty()) grown_[std::string(vm.node())] = clock_.mono();
    });
    for (const auto& [uid, hosts] : processes_)
        for (const auto& [host, running] : hosts)
            for (const std::string& path : running.opened)
                if (path.find(was.uid) != std::string::npos && !beyond_.contains(host))
                    broken(fmt::format("volume {} was grown while a VM ran with it on {}", name,
                                       host));
}

// Nobody asks for another zone here: who changes one member leaves the others.
void Checker::check_node(const store::Change& change) {
    counted();
    const view::NodeEntry* before = state_.nodes.find(model::parse_key(change.item.key).name);
    if (!before || !before->spec) return;
    const auto is = model::parse_node_spec(change.item.value, model::Mode::kLenient);
    const model::NodeSpec& was = before->spec->value;
    if (is && is->draining && is->schedulable)
        broken(fmt::format("host {} is drained, and may be given VMs", before->key));
    if (is && (is->zone != was.zone || is->uid != was.uid))
        broken(fmt::format("host {} was in zone {}, and is in \"{}\"", before->key, was.zone,
                           is->zone));
}

// Nobody takes a limit away here: who changes one leaves the others.
void Checker::check_project(const store::Change& change) {
    counted();
    const view::ProjectEntry* before = state_.projects.find(model::parse_key(change.item.key).name);
    const auto is = model::parse_project(change.item.value, model::Mode::kLenient);
    if (!before || !is || is->uid != before->record->value.uid) return;
    if (before->record->value.quota.memory_mib > 0 && is->quota.memory_mib == 0)
        broken(fmt::format("project {} has lost its limit of memory", before->key));
}

void Checker::check_spec(const view::VmEntry* before, const view::VmEntry& after) {
    counted();
    const model::VmRecord& was = before->record->value;
    const model::VmRecord& is = after.record->value;
    if (!after.node().empty()) grown_[std::string(after.node())] = clock_.mono();
    if (is.generation < was.generation || is.restart_generation < was.restart_generation ||
        is.generation > was.generation + 1 || is.restart_generation > was.restart_generation + 1)
        broken(fmt::format("vm {} went from generation {}/{} to {}/{}", after.key, was.generation,
                           was.restart_generation, is.generation, is.restart_generation));
    // What a daemon of another version adds aside.
    const bool changed =
        is.spec != was.spec && model::without_extras(is.spec) != model::without_extras(was.spec);
    if (is.generation == was.generation && changed)
        broken(fmt::format("the spec of vm {} changed, its generation did not", after.key));
    for (const model::Disk& disk : was.spec.disks) {
        const auto same = [&](const model::Disk& other) {
            return other.name == disk.name && other.volume == disk.volume;
        };
        if (std::ranges::none_of(is.spec.disks, same))
            not_running(is.uid.str(),
                        fmt::format("disk {} was taken from vm {}", disk.name, after.key));
    }
    if (!was.deleted_at.empty() && is.deleted_at.empty())
        broken(fmt::format("vm {} was being deleted, and is no more", after.key));
    if (!was.deleted_at.empty() && (changed || is.restart_generation != was.restart_generation))
        broken(fmt::format("vm {} was being deleted, and was changed all the same", after.key));
    if (is.restart_generation + restarts_before_[after.key] > restarts_asked_[after.key])
        broken(fmt::format(
            "vm {} was told to start {} times more often than people asked", after.key,
            is.restart_generation + restarts_before_[after.key] - restarts_asked_[after.key]));
    const auto labels = labels_.find(after.key + " " + is.uid.str());
    if (labels == labels_.end()) return;
    for (const std::string& label : labels->second)
        if (!is.spec.labels.contains(label))
            broken(fmt::format("vm {}: label {} was acknowledged, and is lost", after.key, label));
}

// What goes is used by nobody.
void Checker::check_unused(const model::ParsedKey& gone) {
    counted();
    const bool image = gone.kind == RecordKind::kImage;
    state_.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (vm->record && (image ? vm->record->value.spec.image : vm->project()) == gone.name)
            broken(fmt::format("{} {} is gone, and vm {} has it", image ? "image" : "project",
                               gone.name, vm->key));
    });
    state_.volumes.for_each([&](const std::shared_ptr<const view::VolumeEntry>& volume) {
        if (image && volume->record && volume->record->value.image == gone.name)
            broken(fmt::format("image {} is gone, and volume {} is made of it", gone.name,
                               volume->key));
        if (!image && volume->record && volume->project() == gone.name)
            broken(
                fmt::format("project {} is gone, and volume {} is in it", gone.name, volume->key));
    });
}

// A volume that stands alone is written by one VM at a time.
void Checker::check_volumes(const view::VmEntry* before, const view::VmEntry& after) {
    const model::VmSpec& spec = after.record->value.spec;
    for (const model::Disk& disk : spec.disks) {
        const view::VolumeEntry* volume =
            state_.volumes.find(fmt::format("{}/{}", after.project(), disk.volume));
        const auto named = [&](const model::Disk& was) { return was.volume == disk.volume; };
        const bool had = before && before->record &&
                         std::ranges::any_of(before->record->value.spec.disks, named);
        if (!disk.volume.empty() && !had && volume && volume->record &&
            !volume->record->value.deleted_at.empty())
            broken(fmt::format("vm {} took volume {}, which is being deleted", after.key,
                               volume->key));
    }
    if (!state_.images.find(spec.image))
        broken(fmt::format("vm {} has image {}, which is not there", after.key, spec.image));
    if (spec.run == model::Run::kStopped) return;
    check_open_volumes(after);
    for (const model::Disk& disk : spec.disks) {
        if (disk.volume.empty()) continue;
        counted();
        const view::VolumeEntry* volume =
            state_.volumes.find(fmt::format("{}/{}", after.project(), disk.volume));
        if (!volume || !volume->record)
            broken(
                fmt::format("vm {} names volume {}, which is not there", after.key, disk.volume));
        state_.vms.scan_prefix(
            fmt::format("{}/", after.project()),
            [&](const std::shared_ptr<const view::VmEntry>& other) {
                if (!other->record || other->key == after.key ||
                    other->record->value.spec.run == model::Run::kStopped)
                    return true;
                for (const model::Disk& theirs : other->record->value.spec.disks)
                    if (theirs.volume == disk.volume && !(theirs.read_only && disk.read_only))
                        broken(fmt::format("vm {} and vm {} shall both run with volume {}",
                                           after.key, other->key, disk.volume));
                return true;
            });
    }
}

// A disk goes when its volume was deleted, or the VM that owns it; else somebody has lost data.
void Checker::on_disk_deleted(const std::string& host, const std::string& path) {
    counted();
    trace_.add(host, "disk deleted", {{"path", path}});
    state_.volumes.for_each([&](const std::shared_ptr<const view::VolumeEntry>& volume) {
        if (!volume->record || path.find(volume->record->value.uid) == std::string::npos ||
            !volume->record->value.deleted_at.empty())
            return;
        const view::VmEntry* owner =
            state_.vms.find(fmt::format("{}/{}", volume->project(), volume->record->value.vm));
        const bool goes = owner && owner->record && !owner->record->value.deleted_at.empty();
        if (!goes)
            broken(fmt::format("{} deleted the disk of volume {}, which nobody had deleted", host,
                               volume->key));
    });
}

// What an agent says must be so: of an end it knows for certain.
void Checker::check_status(const view::VmEntry* before, const view::VmEntry& after) {
    counted();
    const model::VmStatus& status = after.status->value;
    if (before->not_understood != 0) return;  // a newer version takes its word back
    check_record_of(before, after);
    said_[after.key] = clock_.mono();
    const auto running = processes_.find(status.uid.str());
    const bool here = running != processes_.end() && running->second.contains(status.node);
    if (ends(status.phase) && here)
        broken(fmt::format("vm {} is said to be {} ({}), and runs on {}", after.key,
                           model::phase_name(status.phase), status.message, status.node));
    if (here && status.phase == Phase::kRunning &&
        running->second.at(status.node).epoch == static_cast<std::uint64_t>(status.epoch)) {
        const Running& machine = running->second.at(status.node);
        if ((status.health == "unhealthy" && !machine.found_ill) ||
            (status.health == "healthy" && !machine.found_well))
            broken(fmt::format("vm {} on {} is said to be {}, and no check of it has found that",
                               after.key, status.node, status.health));
    }
    if (status.phase == Phase::kRunning || status.phase == Phase::kPaused) {
        const auto pids = pids_.find(fmt::format("{} {}", status.uid, status.epoch));
        if (pids == pids_.end() || !pids->second.contains(status.pid))
            broken(fmt::format("vm {} is said to be {} on {} as process {}, which never was",
                               after.key, model::phase_name(status.phase), status.node,
                               status.pid));
    }
}

// The members of a status fit each other, the one before and the spec.
void Checker::check_record_of(const view::VmEntry* before, const view::VmEntry& after) {
    const model::VmStatus& now = after.status->value;
    const auto wrong = [&](std::string what) {
        broken(fmt::format("the status of vm {} ({}) {}", after.key, model::phase_name(now.phase),
                           what));
    };
    const bool ended = ends(now.phase);
    if (now.pid == 0 && now.pid_start != 0) wrong("names no process, and says when it began");
    if (ended && (now.pid != 0 || !now.addresses.empty()))
        wrong(fmt::format("names process {}", now.pid));
    check_end_of(after);
    if (now.pid != 0 && !now.stopped_by.empty())
        wrong(fmt::format("has process {}, and says that it was stopped by {}", now.pid,
                          now.stopped_by));
    const std::int64_t wait_s = number_after(now.message, " in ");
    const std::int64_t restarts =
        std::max(number_after(now.message, "; restart "), number_after(now.message, "; attempt "));
    if (restarts > 0 && wait_s > backoff_most_s(restarts))
        wrong(fmt::format("waits for {} s before restart {}", wait_s, restarts));
    const model::VmRecord& record = after.record->value;
    if (now.generation > record.generation || now.restart_generation > record.restart_generation)
        wrong(fmt::format("speaks of generation {}/{}, which is not yet", now.generation,
                          now.restart_generation));
    const model::VmStatus* then =
        before->status && before->status->value.uid == now.uid ? &before->status->value : nullptr;
    const bool goes_on = then && then->epoch == now.epoch && then->node == now.node;
    const bool announces =
        now.phase == Phase::kStarting && !(goes_on && then->phase == Phase::kStarting);
    const auto changed = spec_changed_.find(after.key);
    const bool seen = changed == spec_changed_.end() ||
                      clock_.mono() - changed->second > kDecidedWithin || announces;
    if ((announces || (ended && seen)) && (now.generation != record.generation ||
                                           now.restart_generation != record.restart_generation))
        wrong(fmt::format("is of generation {}/{}, and the spec of {}/{}", now.generation,
                          now.restart_generation, record.generation, record.restart_generation));
    if (!goes_on) return;
    if (announces && ends(then->phase) && record.spec.restart == model::Restart::kNever &&
        then->generation == record.generation &&
        then->restart_generation == record.restart_generation)
        wrong(fmt::format("is never restarted, was {}, and nobody has asked for a start",
                          model::phase_name(then->phase)));
    if (now.phase == Phase::kFailed && then->phase == Phase::kFailed && restarts > 0 &&
        now.restart_generation > then->restart_generation)
        wrong(fmt::format("is told to start, and waits: {}", now.message));
    if (now.restart_generation < then->restart_generation)
        wrong(fmt::format("fell from restart {} to {}", then->restart_generation,
                          now.restart_generation));
    if (now.phase == then->phase && now.since != then->since)
        wrong(fmt::format("was so since {}, and is so since {}", then->since, now.since));
    const bool later = clock_.mono() - said_[after.key] > seconds(60);
    if (now.phase != then->phase && later && now.since == then->since)
        wrong(fmt::format("is so since {}, when it was {}", now.since,
                          model::phase_name(then->phase)));
}

// Who was away for some minutes resumes its watch where it was.
void Checker::check_history_kept() {
    const MonoTime now = clock_.mono();
    if (history_.empty() || now - history_.back().first >= seconds(1))
        history_.emplace_back(now, state_.revision);
    history_.back().second = state_.revision;
    while (history_.size() > 1 && now - history_[1].first >= kHistoryKept) history_.pop_front();
    const store::Revision compacted = backend_.history().compacted();
    if (std::exchange(compacted_, compacted) < compacted && compacted > history_.front().second &&
        now - history_.front().first < kHistoryKept + seconds(60))
        broken(fmt::format("the store was compacted to revision {}, which is younger than {} s",
                           compacted, kHistoryKept.count / 1000));
}

// Nobody may use more than the quota allows. A quota that was lowered takes nothing away.
void Checker::check_quota(const std::string& project, const Use& more) {
    const view::ProjectEntry* entry = state_.projects.find(project);
    if (!entry) return;
    const model::Quota& quota = entry->record->value.quota;
    if (quota.vms == 0 && quota.cpus == 0 && quota.memory_mib == 0 && quota.disk_mib == 0) return;
    if (!understands_all()) return;
    counted();
    Use used;
    state_.vms.scan_prefix(project + "/", [&](const std::shared_ptr<const view::VmEntry>& vm) {
        used += use_of(vm.get());
        return true;
    });
    state_.volumes.scan_prefix(project + "/",
                               [&](const std::shared_ptr<const view::VolumeEntry>& volume) {
                                   used += use_of(volume.get());
                                   return true;
                               });
    const auto over = [](std::int64_t all, std::int64_t most, std::int64_t new_ones) {
        return most > 0 && new_ones > 0 && all > most;
    };
    if (over(used.vms, quota.vms, more.vms) || over(used.cpus, quota.cpus, more.cpus) ||
        over(used.memory_mib, quota.memory_mib, more.memory_mib) ||
        over(used.disk_mib, quota.disk_mib, more.disk_mib))
        broken(fmt::format(
            "project {} uses {} VMs, {} CPUs, {} MiB, {} MiB of disk now: more than its quota",
            project, used.vms, used.cpus, used.memory_mib, used.disk_mib));
}

// The others may take its VMs over from now on, but for the margin: nothing fenced may run any
// more.
void Checker::check_lease_end(const std::string& host) {
    counted();
    if (beyond_.contains(host)) return;
    for (const auto& [uid, hosts] : processes_) {
        const auto running = hosts.find(host);
        if (running != hosts.end() && running->second.fenced)
            return broken(
                fmt::format("the lease of host {} has ended, and a fenced VM ({}) still runs there",
                            host, uid));
    }
}

// docs/FENCING.md, step 1: a deadline is counted from the sending of a renewal, which is before the
// store got it, and leaves the margin.
void Checker::on_feed(const std::string& host, MonoTime deadline, const HostClock& clock) {
    counted();
    if (beyond_.contains(host)) return;
    const agent::LeaseSettings settings;
    const view::NodeEntry* node = state_.nodes.find(host);
    if (!node || !node->lease) {
        if (deadline > clock.mono())
            broken(fmt::format("host {} grants its fenced VMs {} ms, and has no lease key", host,
                               (deadline - clock.mono()).count));
        return;
    }
    const auto ends = backend_.lease_deadline(node->lease->value.lease);
    if (!ends) return;
    const MonoTime renewed = clock.at(*ends - settings.ttl);
    const MonoTime latest = renewed + settings.ttl - settings.ttl / 8;
    if (deadline > latest + Millis{1})
        broken(fmt::format("host {} grants its fenced VMs {} ms more than its lease allows", host,
                           (deadline - latest).count));
}

// ---- what is sent ----

void Checker::on_send(const std::string& host, const store::Transaction& transaction) {
    counted();
    if (auto wrong = what_breaks_protocol(host, transaction, state_)) broken(std::move(*wrong));
}

void Checker::decided_wrongly(const std::string& host, const std::string& wrong) {
    counted();
    broken(fmt::format("the daemon on {}: {}", host, wrong));
}

// ---- what people were told ----

void Checker::create_acknowledged(const std::string& vm, const std::string& key,
                                  const std::string& uid) {
    counted();
    if (!uids_.contains(uid))
        broken(fmt::format("vm {} was acknowledged, and no record of it was ever written", vm));
    const auto [first, is_new] = created_.emplace(key, uid);
    if (!is_new && first->second != uid)
        broken(
            fmt::format("vm {} was made twice for one request: {} and {}", vm, first->second, uid));
}

void Checker::label_acknowledged(const std::string& vm, const std::string& uid,
                                 const std::string& label) {
    counted();
    labels_[vm + " " + uid].insert(label);
    const view::VmEntry* entry = state_.vms.find(vm);
    if (!entry || !entry->record || entry->record->value.uid != uid) return;
    if (!entry->record->value.spec.labels.contains(label))
        broken(fmt::format("vm {}: label {} was acknowledged, and is not there", vm, label));
}

void Checker::EventLedger::owe(store::Revision revision, const std::vector<EventText>& events) {
    std::multiset<EventText> wanted;
    for (const EventText& event : events)
        if (event.type.starts_with(type) && (project.empty() || event.project == project) &&
            (name.empty() || event.name == name))
            wanted.insert(event);
    if (!wanted.empty()) owed.emplace_back(revision, std::move(wanted));
}

void Checker::on_event(EventLedger& ledger, store::Revision revision, const EventText& event) {
    counted();
    auto& owed = ledger.owed;
    if (owed.empty() || owed.front().first > revision)
        return broken(
            fmt::format("an event of revision {} ({} {}) came twice, is of nothing, or was not "
                        "asked for",
                        revision, event.type, event.name));
    if (owed.front().first < revision)
        return broken(fmt::format("the events of revision {} never came; revision {} did",
                                  owed.front().first, revision));
    const auto found = owed.front().second.find(event);
    if (found == owed.front().second.end())
        return broken(fmt::format("the event of revision {} is {} of {}, which did not happen then",
                                  revision, event.type, event.name));
    owed.front().second.erase(found);
    if (owed.front().second.empty()) owed.pop_front();
}

void Checker::on_event_mark(EventLedger& ledger, store::Revision revision) {
    counted();
    if (!ledger.owed.empty() && ledger.owed.front().first < revision)
        broken(fmt::format("the events of revision {} never came; the stream is at {}",
                           ledger.owed.front().first, revision));
}

}  // namespace blixard::sim
