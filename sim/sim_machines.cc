#include "sim/sim_machines.h"

#include <fmt/format.h>

#include <csignal>
#include <utility>

namespace blixard::sim {

using hypervisor::Event;
using hypervisor::Exit;
using hypervisor::InstanceState;

std::string directory_key(const hypervisor::InstanceId& id) { return id.vm + " " + id.uid; }

Script SimMachines::next_script() {
    SeededRandom random(seed_ * 7919 + ++scripts_);
    Script script;
    script.prepare = Millis{5 + static_cast<std::int64_t>(random.below(60))};
    if (prepare_next_for_ > Millis{0}) script.prepare = std::exchange(prepare_next_for_, Millis{0});
    script.boot = Millis{80 + static_cast<std::int64_t>(random.below(3000))};
    script.shutdown = Millis{40 + static_cast<std::int64_t>(random.below(1500))};
    script.fails = std::exchange(next_start_fails_, false);
    // Less than a health check's start period.
    if (slow_to_be_well_)
        script.warm_up =
            Millis{static_cast<std::int64_t>(SeededRandom(seed_ * 4201 + scripts_).below(9'000))};
    if (!troubled_) return script;
    if (random.chance(5)) script.prepare = Millis{static_cast<std::int64_t>(random.below(20'000))};
    if (random.chance(5)) script.boot = Millis{static_cast<std::int64_t>(random.below(40'000))};
    script.fails = random.chance(3) || script.fails;
    script.deaf = random.chance(8);
    script.hangs = random.chance(2);
    if (random.chance(5))
        script.dies_after = Millis{static_cast<std::int64_t>(random.below(900'000))};
    script.powers_off = random.chance(30);
    return script;
}

bool SimMachines::fails_to_remove() {
    if (std::exchange(next_removal_fails_, false)) return true;
    return troubled_ && SeededRandom(seed_ * 6151 + ++removals_).chance(15);
}

Machine* SimMachines::find(const std::string& vm) {
    const auto found = machines_.find(vm);
    return found == machines_.end() ? nullptr : &found->second;
}

void SimMachines::tell(Event::Kind kind, const hypervisor::InstanceId& id) {
    if (listener) listener(kind, id);
}

// As docs/FENCING.md, step 8, has it.
Status SimMachines::claim(const hypervisor::DiskFile& disk, std::uint64_t epoch) {
    if (!disk.shared || disk.read_only) return {};
    SharedStorage::File& file = deps_.shared.files[disk.path];
    const std::pair held{file.volume_epoch, file.epoch}, ours{disk.volume_epoch, epoch};
    if (held > ours || (held == ours && !file.node.empty() && file.node != host_))
        return fail(ErrorCode::kConflict,
                    fmt::format("disk {} has been opened by epoch {}/{} on {}; this is epoch {}/{}",
                                disk.path, file.volume_epoch, file.epoch, file.node,
                                disk.volume_epoch, epoch));
    file.volume_epoch = disk.volume_epoch;
    file.epoch = epoch;
    file.node = host_;
    return {};
}

Status SimMachines::may_start(const hypervisor::Launch& launch) {
    const auto there = machines_.find(launch.id.vm);
    if (there != machines_.end() && (there->second.alive || there->second.instance.id.vm.empty()))
        return fail(ErrorCode::kExists, "VM " + launch.id.vm + " runs already");
    if (there != machines_.end())
        return fail(ErrorCode::kExists,
                    "VM " + launch.id.vm + " has an ended instance that was not forgotten");
    if (launch.fenced && fenced())
        return fail(ErrorCode::kUnavailable,
                    "VM " + launch.id.vm + ": this host's lease is not known to be valid");
    for (const hypervisor::DiskFile& disk : launch.disks) {
        if (!disk.shared || disk.read_only) continue;
        RETURN_IF_ERROR(claim(disk, launch.id.epoch));
    }
    return {};
}

Result<Machine*> SimMachines::spawn(const hypervisor::Launch& launch, const Script& script) {
    RETURN_IF_ERROR(may_start(launch));
    for (const hypervisor::DiskFile& disk : launch.disks) {
        const auto file = deps_.shared.files.find(disk.path);
        if (!disk.shared || disk.read_only || file == deps_.shared.files.end() ||
            file->second.locked_by.empty())
            continue;
        return fail(ErrorCode::kConflict, fmt::format("disk {} is locked by a process on {}",
                                                      disk.path, file->second.locked_by));
    }
    for (const hypervisor::DiskFile& disk : launch.disks)
        if (disk_full_ && !disk.shared && !disks_.contains(disk.path))
            return fail(ErrorCode::kExhausted, "no space left on the disk for " + disk.path);
    if (script.fails)
        return fail(ErrorCode::kUnavailable,
                    "qemu ended with status 1 before its monitor answered");
    directories_[directory_key(launch.id)] = launch.id;
    for (const hypervisor::DiskFile& disk : launch.disks) {
        if (!disk.shared) {
            disks_.insert(disk.path);
        } else if (!disk.read_only) {
            SharedStorage::File& file = deps_.shared.files[disk.path];
            file.made = true;
            file.locked_by = host_;
        }
    }
    Machine machine;
    machine.launch = launch;
    machine.script = script;
    machine.alive = true;
    machine.birth = ++last_birth_;
    machine.instance.id = launch.id;
    machine.instance.pid = static_cast<int>(1000 + ++spawned_);
    machine.instance.pid_start = static_cast<std::uint64_t>(deps_.clock.mono().ms);
    machine.instance.fenced = launch.fenced;
    machine.instance.started = deps_.clock.wall();
    machine.instance.generation = launch.generation;
    machine.instance.restart_generation = launch.restart_generation;
    machine.instance.machine = "q35";
    machine.instance.accelerator = "tcg";
    machine.instance.message = "booting";
    for (const model::Nic& nic : launch.spec.nics)
        for (const model::PortForward& forward : nic.forwards)
            machine.instance.addresses.push_back(
                {nic.name, fmt::format("127.0.0.1:{}", 20'000 + spawned_), forward.guest_port, {}});
    Machine& there = machines_[launch.id.vm] = std::move(machine);
    deps_.watcher.on_process_start(host_, there);
    deps_.timeline.after(script.boot,
                         [this, vm = launch.id.vm, birth = there.birth] { run(vm, birth); });
    return &there;
}

void SimMachines::run(const std::string& vm, std::uint64_t birth) {
    Machine* const machine = find(vm);
    if (!machine || machine->birth != birth || !machine->alive ||
        machine->instance.state != InstanceState::kStarting)
        return;
    machine->ran = true;
    machine->ran_since = deps_.timeline.mono();
    machine->silent_since = deps_.timeline.mono();
    machine->instance.state =
        machine->script.hangs ? InstanceState::kUnknown : InstanceState::kRunning;
    machine->instance.message.clear();
    if (machine->script.dies_after) {
        Exit exit;
        if (machine->script.powers_off) {
            exit.status = 0;
            exit.guest_shutdown = true;
        } else {
            exit.signal = SIGSEGV;
        }
        signal_end(vm, birth, *machine->script.dies_after, exit,
                   machine->script.powers_off ? "guest powers off" : "crash");
    }
    if (machine->launch.spec.health && machine->script.warm_up > Millis{0})
        fall_ill(vm, machine->script.warm_up);
    tell(Event::Kind::kChanged, machine->instance.id);
}

void SimMachines::forget_stops() {
    for (auto& [vm, machine] : machines_)
        if (machine.alive && machine.instance.state == InstanceState::kStopping)
            machine.instance.state =
                machine.script.hangs ? InstanceState::kUnknown : InstanceState::kRunning;
}

void SimMachines::signal_end(const std::string& vm, std::uint64_t birth, Millis delay, Exit exit,
                             std::string_view why) {
    deps_.timeline.after(delay, [this, vm, birth, exit = std::move(exit), why = std::string(why)] {
        Machine* const machine = find(vm);
        if (machine && machine->birth == birth && machine->alive) end(vm, exit, why);
    });
}

void SimMachines::unlock(const Machine& machine) {
    for (const hypervisor::DiskFile& disk : machine.launch.disks) {
        if (!disk.shared || disk.read_only) continue;
        const auto file = deps_.shared.files.find(disk.path);
        if (file != deps_.shared.files.end() && file->second.locked_by == host_)
            file->second.locked_by.clear();
    }
}

void SimMachines::end(const std::string& vm, Exit exit, std::string_view why) {
    Machine* const machine = find(vm);
    if (!machine || !machine->alive) return;
    machine->alive = false;
    exit.at = deps_.clock.wall();
    machine->instance.state = InstanceState::kExited;
    machine->instance.exit = std::move(exit);
    machine->instance.pid = 0;
    unlock(*machine);
    deps_.watcher.on_process_end(host_, *machine, why);
    tell(Event::Kind::kExited, machine->instance.id);
}

void SimMachines::hang(const std::string& vm, Millis span) {
    Machine* const machine = find(vm);
    if (!machine || !machine->alive) return;
    machine->script.hangs = true;
    if (machine->instance.state != InstanceState::kRunning) return;
    machine->instance.state = InstanceState::kUnknown;
    machine->silent_since = deps_.timeline.mono();
    tell(Event::Kind::kChanged, machine->instance.id);
    if (span == Millis{0}) return;
    deps_.timeline.after(span, [this, vm, birth = machine->birth] {
        Machine* const machine = find(vm);
        if (!machine || machine->birth != birth || !machine->alive) return;
        machine->script.hangs = false;
        if (machine->instance.state != InstanceState::kUnknown) return;
        machine->instance.state = InstanceState::kRunning;
        tell(Event::Kind::kChanged, machine->instance.id);
    });
}

void SimMachines::fall_ill(const std::string& vm, Millis span) {
    Machine* const machine = find(vm);
    if (!machine || !machine->alive) return;
    ++machine->sick;
    if (span == Millis{0}) return;
    deps_.timeline.after(span, [this, vm, birth = machine->birth] {
        Machine* const machine = find(vm);
        if (machine && machine->birth == birth) --machine->sick;
    });
}

void SimMachines::checked(Machine& machine, bool well) {
    const auto& check = machine.launch.spec.health;
    if (!check) return;
    if (well) {
        const bool first = !std::exchange(machine.once_well, true);
        machine.checks_failed = 0;
        if (first) deps_.watcher.on_health(host_, machine, true);
        return;
    }
    // By a clock that may be fast.
    const Millis up = deps_.timeline.mono() - machine.ran_since;
    const bool counts = machine.once_well || machine.checks_failed > 0 ||
                        up + up / 25 >= seconds(check->start_period_s);
    if (counts && ++machine.checks_failed == check->failures)
        deps_.watcher.on_health(host_, machine, false);
}

void SimMachines::cut_power() {
    listener = nullptr;
    for (auto& [vm, machine] : machines_)
        if (machine.alive) end(vm, Exit{}, "power cut");
    ++watchdog_run_;
    watchdog_paused_ = false;
    fed_while_paused_.reset();
    deadline_ = {};
}

void SimMachines::cut_power_and_tear(std::uint64_t dice) {
    cut_power();
    SeededRandom random(dice);
    std::erase_if(machines_, [&](const auto& entry) {
        if (!random.chance(50)) return false;
        deps_.watcher.on_record_torn(entry.second);
        return true;
    });
}

void SimMachines::delete_disk(const std::string& path) {
    const auto file = deps_.shared.files.find(path);
    const bool shared = file != deps_.shared.files.end() && file->second.made;
    if (file != deps_.shared.files.end()) deps_.shared.files.erase(file);
    const bool was_there = disks_.erase(path) > 0 || shared;
    if (was_there) deps_.watcher.on_disk_deleted(host_, path);
}

void SimMachines::wipe() {
    machines_.clear();
    directories_.clear();
    disks_.clear();
}

// ---- the watchdog

void SimMachines::feed(MonoTime deadline) {
    deps_.watcher.on_feed(host_, deadline, deps_.clock);
    if (watchdog_paused_) {
        fed_while_paused_ = deadline;
        return;
    }
    if (deadline <= deadline_) return;
    deadline_ = deadline;
    look_at_deadline();
}

void SimMachines::look_at_deadline() {
    const std::uint64_t run = ++watchdog_run_;
    deps_.timeline.after(deps_.clock.until(deadline_), [this, run] {
        if (run != watchdog_run_ || watchdog_paused_) return;
        // The clock has become slower.
        if (deps_.clock.mono() < deadline_) return look_at_deadline();
        for (auto& [vm, machine] : machines_)
            if (machine.alive && machine.launch.fenced)
                signal_end(vm, machine.birth, Millis{1}, Exit{.signal = SIGKILL}, "fenced");
    });
}

void SimMachines::pause_watchdog(Millis span) {
    // One pause after the other would be a longer one than docs/FENCING.md assumes.
    const MonoTime now = deps_.timeline.mono();
    if (watchdog_paused_ || now < watchdog_rests_until_) return;
    watchdog_rests_until_ = now + span + seconds(5);
    watchdog_paused_ = true;
    const std::uint64_t run = ++watchdog_run_;
    deps_.timeline.after(span, [this, run] {
        if (run != watchdog_run_) return;
        watchdog_paused_ = false;
        // What it was fed meanwhile stands in its socket, and is read before the clock is looked
        // at.
        if (fed_while_paused_ && *fed_while_paused_ > deadline_) deadline_ = *fed_while_paused_;
        fed_while_paused_.reset();
        look_at_deadline();
    });
}

void SimMachines::kill_watchdog() {
    ++watchdog_run_;
    watchdog_paused_ = false;
    fed_while_paused_.reset();
    deadline_ = {};
    for (auto& [vm, machine] : machines_)
        if (machine.alive && machine.launch.fenced)
            end(vm, Exit{.signal = SIGKILL}, "watchdog died");
}

}  // namespace blixard::sim
