#include "hypervisor/fake/fake_host.h"

#include <csignal>

#include "base/assert.h"

namespace blixard::hypervisor {

FakeHost::~FakeHost() {
    executor_.cancel(fence_timer_);
    for (auto& [vm, machine] : machines_) {
        for (const TimerId timer : machine->timers) executor_.cancel(timer);
    }
}

FakeHost::Machine* FakeHost::find(const std::string& vm) {
    const auto found = machines_.find(vm);
    return found == machines_.end() ? nullptr : found->second.get();
}

const FakeScript& FakeHost::script_of(const std::string& vm) const {
    const auto found = scripts_.find(vm);
    return found == scripts_.end() ? script_ : found->second;
}

void FakeHost::later(Machine& machine, Millis delay, std::function<void(Machine&)> then) {
    const std::string vm = machine.instance.id.vm;
    const int pid = machine.instance.pid;
    machine.timers.push_back(executor_.after(delay, [this, vm, pid, then = std::move(then)] {
        Machine* const same = find(vm);
        if (same && same->alive && same->instance.pid == pid) then(*same);
    }));
}

FakeHost::Machine& FakeHost::spawn(const Launch& launch) {
    ASSERT(!runs(launch.id.vm));
    auto machine = std::make_unique<Machine>();
    Instance& instance = machine->instance;
    instance.id = launch.id;
    instance.state = InstanceState::kStarting;
    instance.pid = ++last_pid_;
    instance.pid_start = static_cast<std::uint64_t>(clock_.mono().ms);
    instance.fenced = launch.fenced;
    instance.started = clock_.wall();
    instance.generation = launch.generation;
    instance.restart_generation = launch.restart_generation;
    instance.machine = "q35";
    instance.accelerator = "tcg";
    for (const model::Nic& nic : launch.spec.nics) {
        for (const model::PortForward& forward : nic.forwards) {
            const auto port = forward.host_port != 0 ? forward.host_port : 40'000 + last_pid_;
            instance.addresses.push_back(
                {nic.name, "127.0.0.1:" + std::to_string(port), forward.guest_port, {}});
        }
    }
    machine->launch = launch;
    machine->script = script_of(launch.id.vm);
    machine->alive = true;
    starts_.push_back(launch.id);
    return *(machines_[launch.id.vm] = std::move(machine));
}

void FakeHost::run(Machine& machine) {
    machine.instance.state =
        machine.script.hangs ? InstanceState::kUnknown : InstanceState::kRunning;
    tell(Event::Kind::kChanged, machine.instance.id);
    if (!machine.script.console.empty()) print(machine.instance.id.vm, machine.script.console);
    if (machine.script.exits_after) {
        later(machine, *machine.script.exits_after,
              [this](Machine& same) { end(same, same.script.exit); });
    }
}

void FakeHost::end(Machine& machine, Exit exit) {
    ASSERT(machine.alive);
    machine.alive = false;
    for (const TimerId timer : machine.timers) executor_.cancel(timer);
    machine.timers.clear();
    exit.at = clock_.wall();
    machine.instance.state = InstanceState::kExited;
    machine.instance.exit = std::move(exit);
    const auto waiting = std::exchange(machine.on_exit, {});
    for (const auto& done : waiting) done(machine);
    tell(Event::Kind::kExited, machine.instance.id);
}

void FakeHost::crash(const std::string& vm, Exit exit) {
    if (runs(vm)) end(*find(vm), std::move(exit));
}

void FakeHost::guest_powers_off(const std::string& vm) {
    crash(vm, Exit{.status = 0, .guest_shutdown = true});
}

void FakeHost::print(const std::string& vm, std::string_view text) {
    Machine* const machine = find(vm);
    if (!machine) return;
    machine->console.append(text);
    if (output_) output_(vm, text);
    tell(Event::Kind::kConsole, machine->instance.id);
}

void FakeHost::set_hangs(const std::string& vm, bool hangs) {
    if (!runs(vm)) return;
    Machine& machine = *find(vm);
    machine.script.hangs = hangs;
    machine.instance.state = hangs ? InstanceState::kUnknown : InstanceState::kRunning;
    tell(Event::Kind::kChanged, machine.instance.id);
}

void FakeHost::cut_power() {
    for (auto& [vm, machine] : machines_) {
        for (const TimerId timer : machine->timers) executor_.cancel(timer);
    }
    machines_.clear();
    executor_.cancel(std::exchange(fence_timer_, 0));
    deadline_ = {};
}

bool FakeHost::runs(const std::string& vm) const {
    const auto found = machines_.find(vm);
    return found != machines_.end() && found->second->alive;
}

std::vector<InstanceId> FakeHost::running() const {
    std::vector<InstanceId> ids;
    for (const auto& [vm, machine] : machines_) {
        if (machine->alive) ids.push_back(machine->instance.id);
    }
    return ids;
}

std::string FakeHost::input(const std::string& vm) const {
    const auto found = machines_.find(vm);
    return found == machines_.end() ? std::string() : found->second->input;
}

bool FakeHost::fenced() const { return clock_.mono() >= deadline_; }

void FakeHost::tell(Event::Kind kind, const InstanceId& id) {
    if (!listener_) return;
    executor_.post([this, here = std::weak_ptr(here_), kind, id] {
        if (here.lock() && listener_) listener_(Event{kind, id});
    });
}

void FakeHost::feed(MonoTime deadline) {
    deadline_ = deadline;
    executor_.cancel(fence_timer_);
    fence_timer_ = executor_.after(deadline - clock_.mono(), [this] {
        fence_timer_ = 0;
        if (fenced()) fence();
    });
}

void FakeHost::fence() {
    for (auto& [vm, machine] : machines_) {
        if (!machine->alive || !machine->instance.fenced) continue;
        machine->instance.message =
            "killed by the fencing watchdog: the host's lease was not renewed in time";
        end(*machine, Exit{.signal = SIGKILL});
    }
}

}  // namespace blixard::hypervisor
