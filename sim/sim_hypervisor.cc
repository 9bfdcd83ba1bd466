#include "sim/sim_hypervisor.h"

#include <csignal>
#include <utility>

namespace blixard::sim {

using hypervisor::Event;
using hypervisor::Exit;
using hypervisor::Instance;
using hypervisor::InstanceId;
using hypervisor::InstanceState;
using hypervisor::Launch;
using hypervisor::StopHow;

namespace {
constexpr Millis kMonitorTakes{2};
constexpr Millis kMonitorPatience = seconds(5);
}  // namespace

SimHypervisor::~SimHypervisor() { machines_.listener = nullptr; }

template <class T>
void SimHypervisor::answer(Callback<T> done, Result<T> result) {
    lane_.post([done = std::move(done), result = std::move(result), here = std::weak_ptr(here_)] {
        if (!here.expired()) done(result);
    });
}

std::vector<Instance> SimHypervisor::instances() const {
    std::vector<Instance> all;
    if (!recovered_) return all;
    for (const auto& [vm, machine] : machines_.machines()) all.push_back(machine.instance);
    for (const auto& [vm, instance] : preparing_) all.push_back(instance);
    return all;
}

void SimHypervisor::recover(Callback<std::vector<Instance>> done) {
    machines_.listener = [this](Event::Kind kind, const InstanceId& id) {
        lane_.post([this, kind, id, here = std::weak_ptr(here_)] {
            if (!here.expired()) on_machine(kind, id);
        });
    };
    lane_.after(Millis{20}, [this, done = std::move(done), here = std::weak_ptr(here_)] {
        if (here.expired()) return;
        recovered_ = true;
        machines_.forget_stops();
        done(instances());
    });
}

void SimHypervisor::on_machine(Event::Kind kind, const InstanceId& id) {
    settle(id.vm);
    if (listener_) listener_({kind, id});
}

// Answers those who wait for something that has come about.
void SimHypervisor::settle(const std::string& vm) {
    Machine* const machine = machines_.find(vm);
    std::vector<Waiting> due;
    for (auto each = waiting_.lower_bound(vm); each != waiting_.upper_bound(vm);) {
        const bool same = machine && machine->birth == each->second.birth;
        const bool over = !same || !machine->alive;
        const bool up =
            same && machine->alive && machine->instance.state != InstanceState::kStarting;
        if (over || (up && each->second.started)) {
            due.push_back(std::move(each->second));
            each = waiting_.erase(each);
        } else {
            ++each;
        }
    }
    for (Waiting& each : due) {
        if (each.stopped) {
            each.stopped(each.how);
        } else if (machine && machine->birth == each.birth &&
                   (machine->alive || machine->instance.exit->guest_shutdown)) {
            machine->answered = true;
            each.started(machine->instance);
        } else {
            // A start that failed leaves nothing behind.
            if (machine && machine->birth == each.birth) machines_.machines().erase(vm);
            each.started(fail(ErrorCode::kUnavailable, "VM " + vm + " ended while it started"));
        }
    }
}

Machine* SimHypervisor::alive(const InstanceId& id) const {
    Machine* const machine = machines_.find(id.vm);
    return machine && machine->alive && machine->instance.id == id ? machine : nullptr;
}

void SimHypervisor::tell(Asked asked, const Machine& machine, Millis grace) const {
    const bool silent = machine.instance.state == InstanceState::kUnknown;
    std::optional<Millis> awake;
    if (const auto resumed = lane_.resumed_at()) awake = lane_.mono() - *resumed;
    if (on_order)
        on_order({asked, grace, silent ? machines_.now() - machine.silent_since : Millis{0}, awake},
                 machine);
}

void SimHypervisor::start(Launch launch, Callback<Instance> done) {
    if (preparing_.contains(launch.id.vm))
        return answer<Instance>(
            std::move(done),
            fail(ErrorCode::kExists, "VM " + launch.id.vm + " is starting already"));
    if (const Status allowed = machines_.may_start(launch); !allowed)
        return answer<Instance>(std::move(done), fail(allowed.error()));
    Instance instance;
    instance.id = launch.id;
    instance.fenced = launch.fenced;
    instance.message = "preparing";
    instance.generation = launch.generation;
    instance.restart_generation = launch.restart_generation;
    preparing_[launch.id.vm] = instance;
    const Script script = machines_.next_script();
    lane_.after(script.prepare, [this, script, launch = std::move(launch), done = std::move(done),
                                 here = std::weak_ptr(here_)] {
        if (!here.expired()) begin(launch, script, done);
    });
}

void SimHypervisor::begin(const Launch& launch, const Script& script, Callback<Instance> done) {
    if (machines_.watchdog_paused()) {  // it makes the process, once it goes on
        lane_.after(Millis{20}, [this, launch, script, done, here = std::weak_ptr(here_)] {
            if (!here.expired()) begin(launch, script, done);
        });
        return;
    }
    preparing_.erase(launch.id.vm);
    if (launch.still_allowed && !launch.still_allowed())
        return done(
            fail(ErrorCode::kCancelled, "what allowed this start ended while it was prepared"));
    const Result<Machine*> machine = machines_.spawn(launch, script);
    if (!machine) return done(fail(machine.error()));
    waiting_.emplace(launch.id.vm, Waiting{.birth = (*machine)->birth, .started = std::move(done)});
    if (listener_) listener_({Event::Kind::kChanged, launch.id});
}

void SimHypervisor::stop(const InstanceId& id, Millis grace, Callback<StopHow> done) {
    Machine* const machine = alive(id);
    if (!machine) return answer<StopHow>(std::move(done), StopHow::kAlreadyGone);
    tell(Asked::kStop, *machine, grace);
    machine->told_to_end = true;
    const bool silent = machine->script.hangs;
    const bool booting = machine->instance.state == InstanceState::kStarting;
    const bool listens =
        !silent && !machine->script.deaf && !booting && machine->script.shutdown <= grace;
    if (machine->instance.state != InstanceState::kStarting)
        machine->instance.state = InstanceState::kStopping;
    const StopHow how = listens ? StopHow::kGuest : silent ? StopHow::kKilled : StopHow::kQuit;
    Exit exit;
    if (how == StopHow::kKilled)
        exit.signal = SIGKILL;
    else
        exit.status = 0;
    exit.guest_shutdown = listens;
    waiting_.emplace(id.vm,
                     Waiting{.birth = machine->birth, .stopped = std::move(done), .how = how});
    if (listener_) listener_({Event::Kind::kChanged, id});
    // The guest shuts down whether or not the daemon lives; quitting and killing is the daemon's.
    const std::uint64_t birth = machine->birth;
    if (listens)
        return machines_.signal_end(id.vm, birth, machine->script.shutdown, exit, "shut down");
    lane_.after(silent ? grace + kMonitorPatience : grace,
                [this, vm = id.vm, birth, exit, here = std::weak_ptr(here_)] {
                    if (!here.expired()) machines_.signal_end(vm, birth, Millis{5}, exit, "quit");
                });
}

void SimHypervisor::kill(const InstanceId& id, Callback<StopHow> done) {
    Machine* const machine = alive(id);
    if (!machine) return answer<StopHow>(std::move(done), StopHow::kAlreadyGone);
    tell(Asked::kKill, *machine);
    machine->told_to_end = true;
    waiting_.emplace(
        id.vm,
        Waiting{.birth = machine->birth, .stopped = std::move(done), .how = StopHow::kKilled});
    machines_.signal_end(id.vm, machine->birth, Millis{3}, Exit{.signal = SIGKILL}, "killed");
}

void SimHypervisor::set_paused(const InstanceId& id, bool paused, Callback<bool> done) {
    const Machine* const now = alive(id);
    if (now) tell(paused ? Asked::kPause : Asked::kResume, *now);
    const bool silent = now && now->script.hangs;
    lane_.after(
        silent ? kMonitorPatience : kMonitorTakes,
        [this, id, paused, done = std::move(done), here = std::weak_ptr(here_)] {
            if (here.expired()) return;
            Machine* const machine = alive(id);
            if (!machine)
                return done(fail(ErrorCode::kNotFound, "VM " + id.vm + " does not run here"));
            const bool answers = machine->instance.state == InstanceState::kRunning ||
                                 machine->instance.state == InstanceState::kPaused;
            if (!answers)
                return done(
                    fail(ErrorCode::kTimeout, "the monitor of VM " + id.vm + " does not answer"));
            machine->instance.state = paused ? InstanceState::kPaused : InstanceState::kRunning;
            if (listener_) listener_({Event::Kind::kChanged, id});
            done(true);
        });
}

void SimHypervisor::pause(const InstanceId& id, Callback<bool> done) {
    set_paused(id, true, std::move(done));
}
void SimHypervisor::resume(const InstanceId& id, Callback<bool> done) {
    set_paused(id, false, std::move(done));
}

void SimHypervisor::forget(const InstanceId& id) {
    const Machine* const machine = machines_.find(id.vm);
    if (machine && !machine->alive && machine->instance.id == id) machines_.machines().erase(id.vm);
}

void SimHypervisor::purge(const std::string& vm, const std::string& uid, Callback<bool> done) {
    const auto preparing = preparing_.find(vm);
    const Machine* const machine = machines_.find(vm);
    const bool runs = machine && machine->alive && machine->instance.id.uid == uid;
    if (runs || (preparing != preparing_.end() && preparing->second.id.uid == uid))
        return answer<bool>(
            std::move(done),
            fail(ErrorCode::kConflict, "VM " + vm + " runs on this host", "stop it first"));
    if (machines_.fails_to_remove())
        return answer<bool>(std::move(done), fail(ErrorCode::kUnavailable,
                                                  "the directory of VM " + vm + " stays for now"));
    if (machine && machine->instance.id.uid == uid) machines_.machines().erase(vm);
    // Of another uid nothing is here.
    machines_.directories().erase(directory_key({vm, uid, 0}));
    answer<bool>(std::move(done), true);
}

std::vector<InstanceId> SimHypervisor::leftovers() const {
    std::vector<InstanceId> all;
    for (const auto& [key, id] : machines_.directories()) all.push_back(id);
    return all;
}

void SimHypervisor::delete_disk(const std::string& path, Callback<bool> done) {
    for (const auto& [vm, machine] : machines_.machines()) {
        if (!machine.alive) continue;
        for (const hypervisor::DiskFile& disk : machine.launch.disks)
            if (disk.path == path)
                return answer<bool>(std::move(done), fail(ErrorCode::kConflict,
                                                          "disk " + path + " is open in VM " + vm));
    }
    if (machines_.locked(path))
        return answer<bool>(std::move(done), fail(ErrorCode::kConflict,
                                                  "disk " + path + " is locked by another host"));
    if (machines_.fails_to_remove())
        return answer<bool>(std::move(done),
                            fail(ErrorCode::kUnavailable, "the pool of " + path + " is away"));
    machines_.delete_disk(path);
    answer<bool>(std::move(done), true);
}

void SimHypervisor::usage(const InstanceId& id, Callback<hypervisor::Usage> done) {
    answer<hypervisor::Usage>(std::move(done),
                              fail(ErrorCode::kUnsupported, "nothing is measured in a simulation"));
}
Result<std::string> SimHypervisor::console_log(const std::string&, std::size_t) {
    return std::string{};
}
Result<hypervisor::ConsoleId> SimHypervisor::console_open(const std::string&,
                                                          hypervisor::ConsoleReader&) {
    return fail(ErrorCode::kUnsupported, "no consoles in a simulation");
}
Status SimHypervisor::console_write(const std::string&, std::string_view) {
    return fail(ErrorCode::kUnsupported, "no consoles in a simulation");
}

}  // namespace blixard::sim
