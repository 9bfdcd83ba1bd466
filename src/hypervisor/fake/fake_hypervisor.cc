#include "hypervisor/fake/fake_hypervisor.h"

#include <csignal>

namespace blixard::hypervisor {
namespace {

constexpr Millis kMonitorTakes{1};

std::string directory_key(const InstanceId& id) { return id.vm + " " + id.uid; }

tl::unexpected<Error> not_here(const std::string& vm) {
    return fail(ErrorCode::kNotFound, "VM " + vm + " does not run on this host");
}

}  // namespace

FakeHypervisor::FakeHypervisor(FakeHost& host) : host_(host) {
    host_.output_ = [this](const std::string& vm, std::string_view text) {
        const auto readers = readers_;  // a reader may close itself
        for (const auto& [id, reader] : readers) {
            if (reader.vm == vm && readers_.contains(id)) reader.reader->on_output(text);
        }
    };
}

FakeHypervisor::~FakeHypervisor() {
    host_.listener_ = nullptr;
    host_.output_ = nullptr;
    for (auto& [vm, machine] : host_.machines_) machine->on_exit.clear();
}

template <class T>
void FakeHypervisor::answer(Callback<T> done, Result<T> result) {
    host_.executor_.post(
        [here = std::weak_ptr(here_), done = std::move(done), result = std::move(result)] {
            if (here.lock()) done(result);
        });
}

void FakeHypervisor::after(Millis delay, std::function<void()> task) {
    host_.executor_.after(delay, [here = std::weak_ptr(here_), task = std::move(task)] {
        if (here.lock()) task();
    });
}

std::vector<Instance> FakeHypervisor::instances() const {
    std::vector<Instance> all;
    if (!recovered_) return all;
    for (const auto& [vm, instance] : preparing_) all.push_back(instance);
    for (const auto& [vm, machine] : host_.machines_) {
        if (!preparing_.contains(vm)) all.push_back(machine->instance);
    }
    return all;
}

void FakeHypervisor::recover(Callback<std::vector<Instance>> done) {
    after(kMonitorTakes, [this, done = std::move(done)] {
        recovered_ = true;
        done(instances());
    });
}

Status FakeHypervisor::may_start(const Launch& launch) const {
    const std::string& vm = launch.id.vm;
    if (preparing_.contains(vm) || host_.runs(vm)) {
        return fail(ErrorCode::kExists, "VM " + vm + " has an instance on this host already",
                    "stop it first");
    }
    if (launch.fenced && host_.fenced()) {
        return fail(ErrorCode::kUnavailable,
                    "VM " + vm + " may not start: this host's lease is not known to be valid");
    }
    for (const DiskFile& disk : launch.disks) {
        const auto held = host_.disk_epochs_.find(disk.path);
        if (!disk.shared || disk.read_only || held == host_.disk_epochs_.end()) continue;
        if (held->second > std::pair(disk.volume_epoch, launch.id.epoch)) {
            return fail(ErrorCode::kConflict,
                        "disk " + disk.path + " has been opened by epoch " +
                            std::to_string(held->second.second) +
                            " (of the volume: " + std::to_string(held->second.first) +
                            "); this is epoch " + std::to_string(launch.id.epoch) + " (" +
                            std::to_string(disk.volume_epoch) + ")");
        }
    }
    return {};
}

void FakeHypervisor::start(Launch launch, Callback<Instance> done) {
    if (const Status allowed = may_start(launch); !allowed) {
        return answer<Instance>(std::move(done), fail(allowed.error()));
    }
    Instance instance;
    instance.id = launch.id;
    instance.fenced = launch.fenced;
    instance.message = "preparing";
    instance.generation = launch.generation;
    instance.restart_generation = launch.restart_generation;
    preparing_[launch.id.vm] = instance;
    const Millis takes = host_.script_of(launch.id.vm).prepare_takes;
    after(takes,
          [this, launch = std::move(launch), done = std::move(done)] { began(launch, done); });
}

void FakeHypervisor::make_disks(const Launch& launch) {
    host_.directories_[directory_key(launch.id)] = launch.id;
    for (const DiskFile& disk : launch.disks) {
        host_.disks_.insert(disk.path);
        if (disk.shared && !disk.read_only)
            host_.disk_epochs_[disk.path] = {disk.volume_epoch, launch.id.epoch};
    }
}

void FakeHypervisor::began(const Launch& launch, Callback<Instance> done) {
    preparing_.erase(launch.id.vm);
    const FakeScript& script = host_.script_of(launch.id.vm);
    if (script.start_fails) return done(fail(*script.start_fails));
    if (launch.still_allowed && !launch.still_allowed())
        return done(
            fail(ErrorCode::kCancelled, "what allowed this start ended while it was prepared"));
    if (const Status allowed = may_start(launch); !allowed) return done(fail(allowed.error()));
    make_disks(launch);
    Machine& machine = host_.spawn(launch);
    auto answered = std::make_shared<Callback<Instance>>(std::move(done));
    machine.on_exit.push_back([answered](const Machine& gone) {
        if (!*answered) return;
        const auto done = std::exchange(*answered, nullptr);
        if (gone.instance.exit->guest_shutdown) return done(gone.instance);  // so it has run
        done(
            fail(ErrorCode::kUnavailable, "VM " + gone.instance.id.vm + " ended while it started"));
    });
    host_.later(machine, script.boot_takes,
                [host = &host_, here = std::weak_ptr(here_), answered](Machine& same) {
                    host->run(same);
                    if (here.lock() && *answered) std::exchange(*answered, nullptr)(same.instance);
                });
}

Result<FakeHypervisor::Machine*> FakeHypervisor::alive(const InstanceId& id) {
    Machine* const machine = host_.find(id.vm);
    if (!machine || !machine->alive || machine->instance.id != id) return not_here(id.vm);
    return machine;
}

void FakeHypervisor::end_by(const InstanceId& id, StopHow how, Exit exit, Callback<StopHow> done) {
    const auto machine = alive(id);
    if (!machine) return;  // its end has been told already
    (*machine)->on_exit.push_back(
        [this, how, done](const Machine&) { answer<StopHow>(done, how); });
    host_.end(**machine, std::move(exit));
}

void FakeHypervisor::stop(const InstanceId& id, Millis grace, Callback<StopHow> done) {
    const auto machine = alive(id);
    if (!machine) return answer<StopHow>(std::move(done), StopHow::kAlreadyGone);
    const FakeScript& script = (*machine)->script;
    (*machine)->instance.state = InstanceState::kStopping;
    host_.tell(Event::Kind::kChanged, id);
    const bool answers = !script.ignores_stop && !script.hangs && script.stop_takes <= grace;
    const StopHow how = answers        ? StopHow::kGuest
                        : script.hangs ? StopHow::kKilled
                                       : StopHow::kQuit;
    Exit exit;
    if (how == StopHow::kKilled)
        exit.signal = SIGKILL;
    else
        exit.status = 0;
    exit.guest_shutdown = how == StopHow::kGuest;
    // Whoever ends it first, the caller hears of it once.
    auto once = std::make_shared<Callback<StopHow>>(std::move(done));
    const auto tell = [once](Result<StopHow> result) {
        if (*once) std::exchange(*once, nullptr)(std::move(result));
    };
    (*machine)->on_exit.push_back(
        [this, tell](const Machine&) { answer<StopHow>(tell, StopHow::kAlreadyGone); });
    after(answers ? script.stop_takes : grace, [this, id, how, exit, tell, once] {
        const auto same = alive(id);
        if (!same) return;
        (*same)->on_exit.insert((*same)->on_exit.begin(),
                                [this, tell, how](const Machine&) { answer<StopHow>(tell, how); });
        host_.end(**same, exit);
    });
}

void FakeHypervisor::kill(const InstanceId& id, Callback<StopHow> done) {
    if (!alive(id)) return answer<StopHow>(std::move(done), StopHow::kAlreadyGone);
    end_by(id, StopHow::kKilled, Exit{.signal = SIGKILL}, std::move(done));
}

void FakeHypervisor::set_paused(const InstanceId& id, bool paused, Callback<bool> done) {
    after(kMonitorTakes, [this, id, paused, done = std::move(done)] {
        const auto machine = alive(id);
        if (!machine) return done(fail(machine.error()));
        if ((*machine)->script.hangs) {
            return done(
                fail(ErrorCode::kTimeout, "the monitor of VM " + id.vm + " does not answer"));
        }
        (*machine)->instance.state = paused ? InstanceState::kPaused : InstanceState::kRunning;
        host_.tell(Event::Kind::kChanged, id);
        done(true);
    });
}

void FakeHypervisor::pause(const InstanceId& id, Callback<bool> done) {
    set_paused(id, true, std::move(done));
}
void FakeHypervisor::resume(const InstanceId& id, Callback<bool> done) {
    set_paused(id, false, std::move(done));
}

void FakeHypervisor::forget(const InstanceId& id) {
    Machine* const machine = host_.find(id.vm);
    if (machine && !machine->alive && machine->instance.id == id) host_.machines_.erase(id.vm);
}

void FakeHypervisor::purge(const std::string& vm, const std::string& uid, Callback<bool> done) {
    const bool preparing = preparing_.contains(vm) && preparing_.at(vm).id.uid == uid;
    if (preparing || (host_.runs(vm) && host_.find(vm)->instance.id.uid == uid)) {
        return answer<bool>(
            std::move(done),
            fail(ErrorCode::kConflict, "VM " + vm + " runs on this host", "stop it first"));
    }
    if (Machine* const machine = host_.find(vm); machine && machine->instance.id.uid == uid) {
        for (const DiskFile& disk : machine->launch.disks) {
            if (!disk.shared) host_.disks_.erase(disk.path);
        }
        host_.machines_.erase(vm);
    }
    host_.directories_.erase(directory_key({vm, uid, 0}));
    answer<bool>(std::move(done), true);
}

std::vector<InstanceId> FakeHypervisor::leftovers() const {
    std::vector<InstanceId> all;
    for (const auto& [key, id] : host_.directories_) all.push_back(id);
    return all;
}

void FakeHypervisor::delete_disk(const std::string& path, Callback<bool> done) {
    for (const auto& [vm, machine] : host_.machines_) {
        if (!machine->alive) continue;
        for (const DiskFile& disk : machine->launch.disks) {
            if (disk.path != path) continue;
            return answer<bool>(std::move(done), fail(ErrorCode::kConflict,
                                                      "disk " + path + " is open in VM " + vm));
        }
    }
    if (host_.storage_away_)
        return answer<bool>(std::move(done), fail(ErrorCode::kUnavailable,
                                                  "the storage of disk " + path + " is away"));
    host_.disks_.erase(path);
    answer<bool>(std::move(done), true);
}

void FakeHypervisor::usage(const InstanceId& id, Callback<Usage> done) {
    const auto machine = alive(id);
    if (!machine) return answer<Usage>(std::move(done), fail(machine.error()));
    Usage usage;
    const Millis age = host_.clock_.wall() - (*machine)->instance.started;
    usage.cpu_seconds = static_cast<double>(age.count) / 1000.0;
    usage.memory_bytes = static_cast<std::uint64_t>((*machine)->launch.spec.memory_mib) << 20;
    answer<Usage>(std::move(done), usage);
}

Result<std::string> FakeHypervisor::console_log(const std::string& vm, std::size_t max_bytes) {
    const Machine* const machine = host_.find(vm);
    if (!machine) return not_here(vm);
    const std::string& text = machine->console;
    return text.substr(text.size() - std::min(text.size(), max_bytes));
}

Result<ConsoleId> FakeHypervisor::console_open(const std::string& vm, ConsoleReader& reader) {
    if (!host_.runs(vm)) return not_here(vm);
    readers_[++last_console_] = {vm, &reader};
    const ConsoleId id = last_console_;
    host_.find(vm)->on_exit.push_back([this, id](const Machine&) {
        const auto found = readers_.find(id);
        if (found == readers_.end()) return;
        ConsoleReader* const open = found->second.reader;
        readers_.erase(found);
        open->on_end("the VM has ended");
    });
    return id;
}

Status FakeHypervisor::console_write(const std::string& vm, std::string_view bytes) {
    if (!host_.runs(vm)) return not_here(vm);
    host_.find(vm)->input.append(bytes);
    host_.print(vm, bytes);  // a terminal echoes
    return {};
}

void FakeHypervisor::console_close(ConsoleId console) { readers_.erase(console); }

bool FakeHypervisor::console_has(const std::string& vm, std::string_view text) {
    const Machine* const machine = host_.find(vm);
    return machine && machine->console.find(text) != std::string::npos;
}

void FakeHypervisor::set_listener(std::function<void(const Event&)> listener) {
    host_.listener_ = std::move(listener);
}

}  // namespace blixard::hypervisor
