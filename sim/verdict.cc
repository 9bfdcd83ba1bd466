#include "sim/verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "sim/rules.h"

namespace blixard::sim {
namespace {

using hypervisor::InstanceState;
using model::Phase;
using model::Run;

const SimHost* host_named(const Hosts& hosts, std::string_view name) {
    for (const auto& host : hosts)
        if (host->name() == name) return host.get();
    return nullptr;
}

const Machine* machine_of(const Hosts& hosts, const view::VmEntry& vm) {
    const SimHost* host = host_named(hosts, vm.node());
    if (!host) return nullptr;
    const auto& machines = const_cast<SimHost*>(host)->machines().machines();
    const auto found = machines.find(vm.key);
    return found == machines.end() || !found->second.alive ? nullptr : &found->second;
}

using Others = std::vector<const view::VmEntry*>;

// Those who wait, too, and whose turn comes first: of a higher priority, or as high and older.
Others who_waits_before(const view::Snapshot& state, const view::VmEntry& vm) {
    Others others;
    const std::int64_t priority = vm.record->value.spec.priority;
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& other) {
        if (!other->record || !other->node().empty() || other->key == vm.key ||
            other->record->value.spec.run == Run::kStopped)
            return;
        const std::int64_t theirs = other->record->value.spec.priority;
        if (theirs > priority ||
            (theirs == priority && other->record->create_revision < vm.record->create_revision))
            others.push_back(other.get());
    });
    return others;
}

// The host may be kept free for one of them: it lacks nothing there but room.
bool may_be_kept_for(const view::Snapshot& state, const Others& others,
                     const view::NodeEntry& host) {
    return std::ranges::any_of(others, [&](const view::VmEntry* other) {
        const std::set<std::string> reasons = Candidate(state, *other).reasons_against(host);
        return std::ranges::all_of(reasons, [](const std::string& reason) {
            return reason == "cpu" || reason == "memory" || reason == "disk";
        });
    });
}

std::string wrong_with_pending(const view::Snapshot& state, const view::VmEntry& vm) {
    if (!vm.placement || vm.placement->value.reason.empty()) return "is pending without a reason";
    // A host with room may be kept free for one that has waited longer. Nobody makes way there for
    // another one, though the reason may be what is used already.
    const Others others = who_waits_before(state, vm);
    const std::string& reason = vm.placement->value.reason;
    if (reason.find("reserved") != std::string::npos)
        return others.empty() ? "waits for others, and nobody else waits" : "";
    const bool evicts = vm.record->value.spec.strategy == "priority";
    std::string room;
    const Candidate candidate(state, vm);
    state.nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
        if (candidate.what_forbids(*node).empty())
            room = fmt::format("{} has room", node->key);
        else if (room.empty() && evicts && candidate.what_breaks_after_preemption(*node).empty() &&
                 !may_be_kept_for(state, others, *node))
            room = fmt::format("{} has room if others make way", node->key);
    });
    if (room.empty()) room = what_is_untrue(state, candidate, reason);
    return room.empty()
               ? ""
               : fmt::format("is pending ({}), and {}{}", reason,
                             room.find(" has room") == std::string::npos ? "that " : "", room);
}

std::string wrong_with_wanted(const view::Snapshot& state, const Hosts& hosts,
                              const view::VmEntry& vm) {
    const model::VmRecord& record = vm.record->value;
    if (vm.node().empty()) return wrong_with_pending(state, vm);
    const Machine* machine = machine_of(hosts, vm);
    const model::VmStatus* status = vm.status ? &vm.status->value : nullptr;
    const bool spoken =
        status && status->uid == record.uid && status->epoch == vm.placement->value.epoch;
    if (!spoken) return fmt::format("is placed on {}, whose agent says nothing of it", vm.node());
    if (!machine) {
        const bool allowed =
            (status->phase == Phase::kStopped && record.spec.restart != model::Restart::kAlways) ||
            (status->phase == Phase::kFailed && record.spec.restart == model::Restart::kNever);
        if (allowed && status->restart_generation >= record.restart_generation) return "";
        return fmt::format("does not run on {}: {} ({})", vm.node(),
                           model::phase_name(status->phase), status->message);
    }
    const Phase phase = record.spec.run == Run::kPaused ? Phase::kPaused : Phase::kRunning;
    const InstanceState state_wanted =
        record.spec.run == Run::kPaused ? InstanceState::kPaused : InstanceState::kRunning;
    if (machine->instance.id.uid != record.uid ||
        machine->instance.id.epoch != static_cast<std::uint64_t>(vm.placement->value.epoch))
        return fmt::format("runs on {} as another incarnation", vm.node());
    const bool left_alone = machine->instance.state == InstanceState::kUnknown &&
                            record.spec.restart == model::Restart::kNever;
    if (left_alone) return status->message.empty() ? "is silent, and nobody says so" : "";
    if (machine->instance.state != state_wanted)
        return fmt::format("is {} on {}", hypervisor::instance_state_name(machine->instance.state),
                           vm.node());
    const bool shall_be_well = record.spec.health && record.spec.restart != model::Restart::kNever;
    if (machine->sick > 0 && shall_be_well && phase == Phase::kRunning)
        return fmt::format("does not pass its health checks on {}, and goes on", vm.node());
    if (status->phase != phase)
        return fmt::format("is said to be {}, and is {}", model::phase_name(status->phase),
                           model::phase_name(phase));
    if (machine->instance.restart_generation != record.restart_generation)
        return "was not restarted as it was asked";
    return "";
}

std::string wrong_with(const view::Snapshot& state, const Hosts& hosts, const view::VmEntry& vm) {
    if (!vm.record) return "has records without a spec";
    if (!vm.record->value.deleted_at.empty()) return "is not deleted yet";
    if (vm.record->value.spec.run != Run::kStopped) return wrong_with_wanted(state, hosts, vm);
    if (!vm.node().empty())
        return fmt::format("shall be stopped, and has its place on {}", vm.node());
    return "";
}

std::string left_on(const view::Snapshot& state, const SimHost& host) {
    SimMachines& machines = const_cast<SimHost&>(host).machines();
    for (const auto& [name, machine] : machines.machines()) {
        const view::VmEntry* vm = state.vms.find(name);
        const bool known = vm && vm->record && vm->record->value.uid == machine.instance.id.uid;
        if (machine.alive && (!known || vm->node() != host.name()))
            return fmt::format("a process of vm {} is left on {}", name, host.name());
    }
    for (const auto& [key, id] : machines.directories()) {
        const view::VmEntry* vm = state.vms.find(id.vm);
        const bool known = vm && vm->record && vm->record->value.uid == id.uid &&
                           (vm->node().empty() || vm->node() == host.name());
        if (!known)
            return fmt::format("the directory of vm {} ({}) is left on {}", id.vm, id.uid,
                               host.name());
    }
    for (const std::string& disk : machines.disks()) {
        bool known = false;
        state.volumes.for_each([&](const auto& volume) {
            known = known ||
                    (volume->record && disk.find(volume->record->value.uid) != std::string::npos);
        });
        if (!known) return fmt::format("disk {} is left on {}", disk, host.name());
    }
    return "";
}

}  // namespace

std::string what_is_wrong(const Checker& checker, const Hosts& hosts, const SharedStorage& shared) {
    const view::Snapshot& state = checker.state();
    std::string wrong;
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (!wrong.empty()) return;
        const std::string what = wrong_with(state, hosts, *vm);
        if (!what.empty()) wrong = fmt::format("vm {} {}", vm->key, what);
    });
    if (!wrong.empty()) return wrong;
    for (const auto& host : hosts) {
        const view::NodeEntry* node = state.nodes.find(host->name());
        if (!node || !node->ready()) return fmt::format("host {} is not ready", host->name());
        if (node->spec && !node->spec->value.lost_at.empty())
            return fmt::format("host {} lives, and is said to be lost", host->name());
        if (std::string left = left_on(state, *host); !left.empty()) return left;
    }
    if (state.election.key.empty()) return "nobody is elected";
    state.volumes.for_each([&](const std::shared_ptr<const view::VolumeEntry>& volume) {
        if (!wrong.empty() || !volume->record) return;
        if (!volume->record->value.deleted_at.empty())
            wrong = fmt::format("volume {} is not deleted yet", volume->key);
        if (volume->record->value.vm.empty()) return;
        if (!state.vms.find(fmt::format("{}/{}", volume->project(), volume->record->value.vm)))
            wrong =
                fmt::format("volume {} is left of vm {}", volume->key, volume->record->value.vm);
    });
    for (const auto& [path, file] : shared.files) {
        bool known = false;
        state.volumes.for_each([&, &path = path](const auto& volume) {
            known = known ||
                    (volume->record && path.find(volume->record->value.uid) != std::string::npos);
        });
        if (wrong.empty() && !known && file.made)
            wrong = fmt::format("shared disk {} is left", path);
        if (wrong.empty() && !file.locked_by.empty() && checker.processes().empty())
            wrong = fmt::format("shared disk {} is left locked", path);
    }
    state.operations.for_each([&](const auto& operation) {
        if (wrong.empty() && operation->record->value.state == model::OperationState::kRunning)
            wrong = fmt::format("operation {} has not ended", operation->key);
    });
    return wrong;
}

}  // namespace blixard::sim
