// What is checked when a process begins or ends.
#include <fmt/format.h>

#include <algorithm>

#include "model/documents.h"
#include "sim/checker.h"

namespace blixard::sim {

using model::Phase;

namespace {

// Five seconds by the agent (agent/plan.h), of a clock that drifts; twice as long after each end
// that comes soon after the start, up to five minutes.
constexpr Millis kBackoffLeast{4900}, kBackoffMost{294'000};
Millis backoff_after(int ends_in_a_row) {
    Millis wait = kBackoffLeast;
    for (int end = 1; end < ends_in_a_row && wait < kBackoffMost; ++end) wait = wait * 2;
    return std::min(wait, kBackoffMost);
}
constexpr Millis kSoonAfterItsStart = seconds(500);  // less than the agent's kHealthyAfter
constexpr Millis kHealthyFor = seconds(700);         // more than that

std::string incarnation(const Machine& machine) {
    return fmt::format("{} {} {}", machine.instance.id.uid, machine.instance.id.epoch,
                       machine.instance.restart_generation);
}

}  // namespace

void Checker::on_process_start(const std::string& host, const Machine& machine) {
    counted();
    const hypervisor::InstanceId& id = machine.instance.id;
    trace_.add(host, "process starts", {{"vm", id.vm}, {"epoch", id.epoch}});
    auto& here = processes_[id.uid];
    for (const auto& [other, running] : here) {
        // Beyond the margin of the clocks only the disks are safe, and the image lock has let it
        // pass.
        const bool excused = beyond_.contains(other) || beyond_.contains(host);
        const bool shares = std::ranges::any_of(machine.launch.disks, [&](const auto& disk) {
            return running.writes.contains(disk.path);
        });
        if (!excused || shares)
            broken(fmt::format("vm {} runs twice: on {} (epoch {}) and on {} (epoch {})", id.vm,
                               other, running.epoch, host, id.epoch));
    }
    Running& now = here[host] = {id.epoch, machine.launch.fenced, {}, {}, {}};
    for (const hypervisor::DiskFile& disk : machine.launch.disks)
        if (!disk.read_only) now.written.insert(disk.path);
    for (const hypervisor::DiskFile& disk : machine.launch.disks) now.opened.insert(disk.path);
    for (const hypervisor::DiskFile& disk : machine.launch.disks)
        if (disk.shared && !disk.read_only) now.writes.insert(disk.path);
    for (const hypervisor::DiskFile& disk : machine.launch.disks) {
        if (disk.shared || disk.read_only) continue;
        for (const auto& [uid, hosts] : processes_) {
            const auto there = hosts.find(host);
            if (uid != id.uid && there != hosts.end() && there->second.opened.contains(disk.path))
                broken(fmt::format("vm {} writes to {} on {}, which another VM has open", id.vm,
                                   disk.path, host));
        }
    }
    if (const auto before = ended_.find(incarnation(machine)); before != ended_.end()) {
        const model::Restart policy = machine.launch.spec.restart;
        const End& end = before->second;
        const Millis waited = clock_.mono() - end.at;
        // Who saw that it did not come up may have gone before it could say so.
        const bool unknown = !end.answered && !end.daemon_knows;
        if ((policy == model::Restart::kNever && !unknown) ||
            (policy == model::Restart::kOnFailure && end.well))
            broken(fmt::format("vm {} ended {}, and was started again against its restart policy",
                               id.vm, end.well ? "well" : "badly"));
        if (end.daemon_knows && end.host == host && end.generation == machine.instance.generation &&
            waited < backoff_after(end.in_a_row))
            broken(
                fmt::format("vm {} ended on {} {} times in a row, and was started again after "
                            "{} ms",
                            id.vm, host, end.in_a_row, waited.count));
    }
    // Also where it did not come up: nobody tries it again, but another daemon, or people.
    if (machine.launch.spec.restart == model::Restart::kNever) {
        const auto [once, is_first] = started_once_.try_emplace(
            incarnation(machine), StartedOnce{host, machine.instance.generation});
        if (!is_first && once->second.host == host &&
            once->second.generation == machine.instance.generation)
            broken(fmt::format("vm {} is never restarted, and was started on {} once more", id.vm,
                               host));
        once->second = {host, machine.instance.generation};
    }
    pids_[fmt::format("{} {}", id.uid, id.epoch)].insert(machine.instance.pid);
    auto& lately = starts_[incarnation(machine)];
    lately.push_back(clock_.mono());
    while (clock_.mono() - lately.front() > seconds(60)) lately.pop_front();
    if (lately.size() > 10)
        broken(fmt::format("vm {} was started {} times within a minute", id.vm, lately.size()));
    if (beyond_.contains(host)) return;
    const view::VmEntry* vm = state_.vms.find(id.vm);
    const bool placed = vm && vm->record && vm->placement && vm->placement->value.uid == id.uid &&
                        vm->placement->value.node == host &&
                        static_cast<std::uint64_t>(vm->placement->value.epoch) == id.epoch;
    if (!placed)
        return broken(fmt::format("vm {} was started on {} with epoch {}, and has no such place",
                                  id.vm, host, id.epoch));
    const bool announced = vm->status && vm->status->value.uid == id.uid &&
                           static_cast<std::uint64_t>(vm->status->value.epoch) == id.epoch &&
                           vm->status->value.phase == Phase::kStarting;
    if (!announced)
        broken(fmt::format("vm {} was started on {} without the store's consent", id.vm, host));
    check_volumes_of(host, machine);
    if (machine.launch.fenced != (machine.launch.spec.ha != model::Ha::kNone))
        broken(
            fmt::format("vm {} was started on {}, fenced: {}", id.vm, host, machine.launch.fenced));
}

// Whoever had a volume before has no part in it any more.
void Checker::check_volumes_of(const std::string& host, const Machine& machine) {
    const hypervisor::InstanceId& id = machine.instance.id;
    const std::string project = id.vm.substr(0, id.vm.find('/'));
    for (const model::Disk& disk : machine.launch.spec.disks) {
        for (const hypervisor::DiskFile& file : machine.launch.disks)
            if (file.name == disk.name && file.read_only != disk.read_only)
                broken(fmt::format("disk {} of vm {} was opened on {}, read-only: {}", disk.name,
                                   id.vm, host, file.read_only));
        if (disk.volume.empty() || disk.read_only) continue;
        counted();
        state_.vms.scan_prefix(
            project + "/", [&](const std::shared_ptr<const view::VmEntry>& other) {
                if (!other->record || other->key == id.vm ||
                    other->record->value.spec.run == model::Run::kStopped)
                    return true;
                for (const model::Disk& theirs : other->record->value.spec.disks)
                    if (theirs.volume == disk.volume)
                        broken(
                            fmt::format("vm {} was started on {} with volume {}, which is vm {}'s",
                                        id.vm, host, disk.volume, other->key));
                return true;
            });
    }
}

// Who is to run takes no volume that a guest still has open: its VM is up, whatever it shall be.
void Checker::check_open_volumes(const view::VmEntry& after) {
    for (const model::Disk& disk : after.record->value.spec.disks) {
        if (disk.volume.empty()) continue;
        counted();
        const view::VolumeEntry* volume =
            state_.volumes.find(fmt::format("{}/{}", after.project(), disk.volume));
        if (!volume || !volume->record) continue;
        const std::string& file = volume->record->value.uid;
        for (const auto& [uid, hosts] : processes_)
            for (const auto& [host, running] : hosts)
                for (const std::string& path : running.written)
                    if (uid != after.record->value.uid && !beyond_.contains(host) &&
                        path.find(file) != std::string::npos)
                        broken(fmt::format("vm {} takes volume {}, which another VM has open on {}",
                                           after.key, disk.volume, host));
    }
}

// A file on storage that all share is on no host.
void Checker::check_volume_status(const store::Change& change) {
    counted();
    if (change.deleted) return;
    const model::ParsedKey key = model::parse_key(change.item.key);
    const view::VolumeEntry* volume =
        state_.volumes.find(fmt::format("{}/{}", key.project, key.name));
    const auto now = model::parse_volume_status(change.item.value, model::Mode::kLenient);
    if (now && volume && volume->record && now->uid == volume->record->value.uid &&
        !volume->record->value.pool.empty() && !now->node.empty())
        broken(fmt::format("volume {} is in pool {}, and said to be on {}", volume->key,
                           volume->record->value.pool, now->node));
}

void Checker::on_process_end(const std::string& host, const Machine& machine,
                             std::string_view why) {
    trace_.add(
        host, "process ends",
        {{"vm", machine.instance.id.vm}, {"epoch", machine.instance.id.epoch}, {"why", why}});
    if (const auto& exit = machine.instance.exit; exit && machine.ran) {
        const auto& check = machine.launch.spec.health;
        const bool ill = check && machine.checks_failed >= check->failures;
        End end{!ill && (exit->guest_shutdown || exit->status == 0), host, clock_.mono(),
                machine.instance.generation};
        end.answered = machine.answered || exit->guest_shutdown;
        const auto before = ended_.find(incarnation(machine));
        const bool again = before != ended_.end() && before->second.daemon_knows &&
                           before->second.host == host &&
                           before->second.generation == end.generation &&
                           end.at - before->second.at < kSoonAfterItsStart;
        if (again) end.in_a_row = before->second.in_a_row + 1;
        ended_[incarnation(machine)] = end;
    }
    const auto changed = spec_changed_.find(machine.instance.id.vm);
    const MonoTime undisturbed_since = std::max(
        machine.silent_since, changed == spec_changed_.end() ? MonoTime{} : changed->second);
    const view::VmEntry* const entry = state_.vms.find(machine.instance.id.vm);
    const bool shall_run =
        entry && entry->record && entry->record->value.spec.run == model::Run::kRunning;
    last_ends_[machine.instance.id.uid] = {
        machine.instance.id.epoch, machine.told_to_end,
        machine.ran && shall_run && clock_.mono() - undisturbed_since > kHealthyFor};
    const auto found = processes_.find(machine.instance.id.uid);
    if (found == processes_.end()) return;
    found->second.erase(host);
    if (found->second.empty()) processes_.erase(found);
}

void Checker::on_daemon_gone(const std::string& host) {
    watching_since_.erase(host);
    for (auto& [incarnation, end] : ended_)
        if (end.host == host) end.daemon_knows = false;
    std::erase_if(started_once_, [&](const auto& once) { return once.second.host == host; });
}

// Who says how a VM has ended speaks of its last end.
void Checker::check_end_of(const view::VmEntry& after) {
    const model::VmStatus& now = after.status->value;
    const auto last = last_ends_.find(now.uid.str());
    if (now.phase != Phase::kStopped && now.phase != Phase::kFailed) return;
    if (last == last_ends_.end() || last->second.epoch != static_cast<std::uint64_t>(now.epoch))
        return;
    counted();
    const LastEnd& end = last->second;
    const auto wrong = [&](std::string what) {
        broken(fmt::format("the status of vm {} ({}) {}", after.key, model::phase_name(now.phase),
                           what));
    };
    if (now.phase == Phase::kStopped && !end.told &&
        (now.stopped_by == "guest" || now.stopped_by == "killed"))
        wrong(
            fmt::format("says that it was stopped by {}, and it ended by itself", now.stopped_by));
    // Not a start that failed after it.
    const bool of_its_end = now.message.starts_with("qemu was ended by") ||
                            now.message.starts_with("the guest powered itself off");
    const bool first = now.message.find("; restart 1 in ") != std::string::npos;
    if (of_its_end && !first && end.ran_long && now.message.find("; restart ") != std::string::npos)
        wrong(fmt::format("has run well for {} s and more, and says: {}", kHealthyFor.count / 1000,
                          now.message));
}

void Checker::on_health(const std::string& host, const Machine& machine, bool well) {
    const auto found = processes_.find(machine.instance.id.uid);
    if (found == processes_.end()) return;
    const auto here = found->second.find(host);
    if (here != found->second.end())
        (well ? here->second.found_well : here->second.found_ill) = true;
}

void Checker::on_record_torn(const Machine& machine) { ended_.erase(incarnation(machine)); }

}  // namespace blixard::sim
