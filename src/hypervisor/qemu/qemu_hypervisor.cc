#include "hypervisor/qemu/qemu_hypervisor.h"

#include <algorithm>

#include "hypervisor/qemu/ceph_lock.h"
#include "hypervisor/qemu/disks.h"
#include "hypervisor/qemu/host_devices.h"
#include "os/files.h"
#include "os/host_facts.h"

namespace blixard::hypervisor {
namespace {

constexpr Millis kRecoverLimit =
    seconds(10);  // for the watchdog and all monitors; who answers later is kUnknown until then

bool is_file_name(const std::string& name) {
    return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

}  // namespace

QemuHypervisor::QemuHypervisor(os::EventLoop& loop, Log& log, QemuConfig config)
    : loop_(loop),
      log_(log),
      config_(std::move(config)),
      cgroups_(config_.limits ? os::Cgroups::detect(config_.control_group) : os::Cgroups()),
      host_(config_.host),
      files_(loop),
      watchdog_(loop, log, config_.directory, config_.watchdog_command,
                {[this](const auto& children) { welcomed(children); },
                 [this](const std::string& directory, const ExitRecord& exit) {
                     exited(directory, exit);
                 },
                 [this](MonoTime at) {
                     log_.warn("the watchdog has killed this host's fenced VMs",
                               {{"at_ms", at.ms}});
                 }}) {}

QemuHypervisor::~QemuHypervisor() {
    loop_.cancel(fence_timer_);
    loop_.cancel(recover_timer_);
}

template <class T>
void QemuHypervisor::work(std::function<Result<T>()> task, Callback<T> done, Waits waits) {
    os::WorkerPool& workers = waits == Waits::kForCeph ? ceph_workers_ : workers_;
    workers.run<T>(loop_, std::move(task),
                   [here = std::weak_ptr(here_), done = std::move(done)](Result<T> result) {
                       if (here.lock()) done(std::move(result));
                   });
}

QemuHypervisor::Waits QemuHypervisor::waits_of(const Launch& launch) {
    const auto in_ceph = [](const DiskFile& disk) { return is_ceph(disk.path); };
    return std::any_of(launch.disks.begin(), launch.disks.end(), in_ceph) ? Waits::kForCeph
                                                                          : Waits::kHere;
}

std::vector<Instance> QemuHypervisor::instances() const {
    std::vector<Instance> all;
    if (!recovered_) return all;
    for (const auto& [vm, entry] : entries_) {
        all.push_back(instance_of(entry));
    }
    return all;
}

// A start that has failed is still starting until nothing of it is left.
Instance QemuHypervisor::instance_of(const Entry& entry) {
    if (!entry.start) return entry.machine->instance();
    const bool there = entry.machine && entry.machine->alive();
    return there ? entry.machine->instance() : entry.start->instance;
}

Machine::World QemuHypervisor::world() {
    return {loop_, log_, [this](Machine& machine, Event::Kind kind) { told(machine, kind); }};
}

// Recovering: what lies in the directories, then the watchdog's word, then the monitors.

Result<std::vector<QemuHypervisor::Found>> QemuHypervisor::look(const std::string& directory) {
    RETURN_IF_ERROR(os::make_directories(directory, 0700));
    ASSIGN_OR_RETURN(const std::string boot_id, os::read_boot_id());
    ASSIGN_OR_RETURN(const auto names, os::list_directory(directory));
    std::vector<Found> all;
    for (const std::string& name : names) {
        Found found;
        found.directory = directory + "/" + name;
        const auto text = os::read_file(found.directory + "/" + kInstanceFile);
        auto id = text ? parse_instance_id(*text) : fail(text.error());
        if (!id) continue;  // not a VM's
        found.id = std::move(*id);
        if (const auto run = os::read_file(found.directory + "/" + kRunFile)) {
            if (auto record = parse_run_record(*run)) found.run = std::move(*record);
        }
        found.same_boot = found.run && found.run->boot_id == boot_id;
        all.push_back(std::move(found));
    }
    return all;
}

// The watchdog first: with its welcome, what a former daemon had asked of it is done or never will
// be. Only then do the records say everything.
void QemuHypervisor::recover(Callback<std::vector<Instance>> done) {
    recovering_ = std::move(done);
    work<std::int64_t>(
        [directory = config_.directory]() -> Result<std::int64_t> {
            RETURN_IF_ERROR(os::make_directories(directory, 0700));
            return os::measure_tsc_khz();
        },
        [this](Result<std::int64_t> tsc_khz) {
            if (!tsc_khz) return std::exchange(recovering_, nullptr)(fail(tsc_khz.error()));
            if (host_.tsc_khz == 0) host_.tsc_khz = *tsc_khz;
            limit_recovery();
            watchdog_.connect();
        });
}

void QemuHypervisor::limit_recovery() {
    recover_timer_ = loop_.after(kRecoverLimit, [this] {
        recover_timer_ = 0;
        if (looked_) return recovered();
        limit_recovery();
        look_around();
    });
}

void QemuHypervisor::look_around() {
    looked_ = true;
    work<std::vector<Found>>([directory = config_.directory] { return look(directory); },
                             [this](Result<std::vector<Found>> found) {
                                 if (!found && recovering_)
                                     return std::exchange(recovering_,
                                                          nullptr)(fail(found.error()));
                                 for (const Found& each : *found) adopt(each);
                                 if (welcomed_) guard_all();
                                 adopted_ = true;
                                 recovered_if_settled();
                             });
}

void QemuHypervisor::adopt(const Found& found) {
    directories_[found.id.uid] = found.id;
    if (!found.run) return;  // half made, or forgotten: nothing runs there
    auto machine = std::make_shared<Machine>(world(), found.directory, found.run->launch);
    Entry& entry = entries_[found.id.vm];
    if (entry.machine && entry.machine->alive()) {
        log_.error("two instances of one VM were found",
                   {{"vm", found.id.vm}, {"directory", found.directory}});
        return;
    }
    entry.machine = machine;
    ++adopting_;
    const os::ProcessId process = found.same_boot ? found.run->process : os::ProcessId{};
    machine->attach(process, true, [this](Result<bool>) {
        --adopting_;
        recovered_if_settled();
    });
    if (!found.same_boot) machine->set_message("this host was restarted");
    if (machine->alive()) watch_console(entry);
    log_.info("found a VM", {{"vm", found.id.vm},
                             {"epoch", machine->instance().id.epoch},
                             {"pid", machine->instance().pid},
                             {"state", instance_state_name(machine->instance().state)}});
}

void QemuHypervisor::welcomed(const std::map<std::string, os::ProcessId>& children) {
    children_ = children;
    welcomed_ = true;
    if (!looked_) return look_around();
    guard_all();
    for (auto& start : std::exchange(unclear_, {})) settle(start);
    recovered_if_settled();
}

// Who is not the watchdog's child is reaped by nobody, and guarded by nobody.
void QemuHypervisor::guard_all() {
    for (const auto& [vm, entry] : entries_) {
        const MachinePtr machine = entry.machine;
        if (!machine || machine->exited() || machine->instance().pid == 0) continue;
        const auto child = children_.find(machine->directory());
        const os::ProcessId process{machine->instance().pid, machine->instance().pid_start};
        if (child != children_.end() && child->second == process) continue;
        machine->orphaned();
        if (machine->instance().fenced) machine->fence();  // it should be dead already
    }
}

void QemuHypervisor::recovered_if_settled() {
    if (adopted_ && welcomed_ && adopting_ == 0) recovered();
}

void QemuHypervisor::recovered() {
    if (!recovering_) return;
    loop_.cancel(std::exchange(recover_timer_, 0));
    if (!welcomed_) log_.error("the fencing watchdog does not answer: no VM can be started");
    recovered_ = true;
    std::exchange(recovering_, nullptr)(instances());
}

// Starting.

Status QemuHypervisor::may_start(const Launch& launch) const {
    const std::string& vm = launch.id.vm;
    if (!recovered_)
        return fail(ErrorCode::kUnavailable, "VM " + vm + ": this host's VMs are not known yet");
    if (!is_file_name(launch.id.uid))
        return fail(ErrorCode::kInvalid, "VM " + vm + ": uid \"" + launch.id.uid + "\"");
    const auto found = entries_.find(vm);
    if (found != entries_.end() && instance_of(found->second).state != InstanceState::kExited) {
        return fail(ErrorCode::kExists, "VM " + vm + " has an instance on this host already",
                    "stop it first");
    }
    if (launch.fenced && loop_.mono() >= deadline_) {
        return fail(ErrorCode::kUnavailable,
                    "VM " + vm + " may not start: this host's lease is not known to be valid",
                    "it starts when the host has renewed its lease");
    }
    return {};
}

void QemuHypervisor::start(Launch launch, Callback<Instance> done) {
    if (const Status allowed = may_start(launch); !allowed) {
        return loop_.post([done = std::move(done), error = allowed.error()] { done(fail(error)); });
    }
    drop(launch.id.vm);
    auto start = std::make_shared<Start>();
    start->instance.id = launch.id;
    start->instance.fenced = launch.fenced;
    start->instance.generation = launch.generation;
    start->instance.restart_generation = launch.restart_generation;
    start->instance.message = "preparing its disks";
    start->traces.directory = vm_directory(launch.id.uid);
    directories_[launch.id.uid] = launch.id;
    entries_[launch.id.vm].start = start;
    start->launch = std::move(launch);
    start->done = std::move(done);
    prepare_start(start);
}

// Address -> the VM that has it.
std::map<std::string, std::string> QemuHypervisor::taken_devices() const {
    std::map<std::string, std::string> taken;
    for (const auto& [vm, entry] : entries_) {
        if (entry.machine && !entry.machine->exited())
            for (const std::string& address : entry.machine->record().devices) taken[address] = vm;
        if (entry.start)
            for (const os::PciDevice& device : entry.start->devices) taken[device.address] = vm;
    }
    return taken;
}

// On the loop, so that two starts never choose the same; reads sysfs, and only for VMs that ask.
Status QemuHypervisor::take_devices(Start& start) const {
    const auto& requests = start.launch.spec.constraints.devices;
    start.devices.clear();
    if (requests.empty()) return {};
    ASSIGN_OR_RETURN(start.devices,
                     choose_devices(requests, os::scan_pci_devices(config_.sysfs_root).offered,
                                    taken_devices()));
    return {};
}

void QemuHypervisor::prepare_start(std::shared_ptr<Start> start) {
    ++start->attempts;
    if (const Status taken = take_devices(*start); !taken) {
        // Not from within start().
        return loop_.post([this, start, error = taken.error(), here = std::weak_ptr(here_)] {
            if (here.lock()) clean_up(start, error);
        });
    }
    PreparationInput input{start->launch,  host_,     config_.node, start->traces.directory,
                           start->devices, &cgroups_, loop_.wall()};
    work<Prepared>([input = std::move(input)] { return prepare(input); },
                   [this, start](Result<Prepared> prepared) {
                       if (!prepared) return clean_up(start, prepared.error());
                       spawn(start, std::move(*prepared));
                   },
                   waits_of(start->launch));
}

void QemuHypervisor::spawn(std::shared_ptr<Start> start, Prepared prepared) {
    Traces& traces = prepared.traces;
    traces.made_directory |= start->traces.made_directory;  // of an attempt before
    for (std::string& path : start->traces.made_disks) traces.made_disks.push_back(std::move(path));
    start->traces = std::move(traces);
    start->chose_ports = prepared.chose_ports;
    start->held = std::move(prepared.held);
    if (start->cancelled)
        return give_up(start, {ErrorCode::kCancelled, "the start was cancelled", {}, {}});
    if (start->launch.still_allowed && !start->launch.still_allowed())
        return give_up(
            start,
            {ErrorCode::kCancelled, "what allowed this start ended while it was prepared", {}, {}});
    start->machine = std::make_shared<Machine>(world(), start->traces.directory, prepared.record);
    entries_.at(start->launch.id.vm).machine = start->machine;
    if (prepared.record.held) {
        start->machine->set_gate(
            [this, weak = std::weak_ptr(start)](const auto& monitor, Callback<bool> done) {
                if (const auto here = weak.lock()) take_disks(here, monitor, std::move(done));
            });
    }
    WatchdogClient::Spawn request;
    request.directory = start->traces.directory;
    request.arguments = std::move(prepared.arguments);
    request.members = std::move(prepared.members);
    request.launch = to_json(prepared.record);
    request.fenced = start->launch.fenced;
    request.monitor_fd = prepared.monitor.get();
    request.console_fd = prepared.console.get();
    request.error_fd = prepared.errors.get();
    watchdog_.spawn(request,
                    [this, start, here = std::weak_ptr(here_)](Result<os::ProcessId> process) {
                        if (here.lock()) spawned(start, std::move(process));
                    });
}

// Steps 3 and 4 of ceph_disk.h: it has the locks of its disks, and Ceph says so. And what allowed
// this start is asked once more: it took its time.
void QemuHypervisor::take_disks(std::shared_ptr<Start> start,
                                const std::shared_ptr<QmpConnection>& monitor,
                                Callback<bool> done) {
    std::vector<std::string> devices;
    for (const HeldDisk& disk : start->held) devices.push_back(disk.device);
    const auto checked = [start, done](Result<bool> ours) {
        if (ours && start->launch.still_allowed && !start->launch.still_allowed())
            ours =
                fail(ErrorCode::kCancelled, "what allowed this start ended while it was prepared");
        done(std::move(ours));
    };
    take_ceph_locks(monitor, std::move(devices),
                    [this, start, checked, here = std::weak_ptr(here_)](Result<bool> taken) {
                        if (!here.lock()) return;
                        if (!taken) return checked(std::move(taken));
                        work<bool>(
                            [held = start->held]() -> Result<bool> {
                                for (const HeldDisk& disk : held)
                                    RETURN_IF_ERROR(check_held_disk(disk));
                                return true;
                            },
                            checked, Waits::kForCeph);
                    });
}

void QemuHypervisor::spawned(std::shared_ptr<Start> start, Result<os::ProcessId> process) {
    if (!process && process.error().code == ErrorCode::kUnknownOutcome) {
        unclear_.push_back(start);
        return;
    }
    if (!process) return clean_up(start, process.error());
    watch_console(entries_.at(start->launch.id.vm));
    start->machine->attach(*process, false,
                           [this, start](Result<bool> up) { running(start, std::move(up)); });
    if (start->cancelled) start->machine->kill_now();
}

// The watchdog was lost while it started this one: its record, if there is one, names what may run.
void QemuHypervisor::settle(std::shared_ptr<Start> start) {
    const auto text = os::read_file(start->traces.directory + "/" + kRunFile);
    const auto record = text ? parse_run_record(*text) : fail(ErrorCode::kNotFound, "");
    const Error error{ErrorCode::kUnavailable,
                      "the fencing watchdog was lost while it started VM " + start->launch.id.vm,
                      {},
                      "it is started again"};
    if (!record || !os::process_lives(record->process)) return clean_up(start, error);
    start->machine->attach(record->process, true, nullptr);
    give_up(start, error);
}

bool QemuHypervisor::port_was_taken(const Start& start, const Error& error) {
    constexpr int kAttempts = 3;
    return start.chose_ports && start.attempts < kAttempts && !start.cancelled &&
           error.message.find("host forwarding rule") != std::string::npos;
}

void QemuHypervisor::running(std::shared_ptr<Start> start, Result<bool> up) {
    if (!up && port_was_taken(*start, up.error())) {
        Entry& entry = entries_.at(start->launch.id.vm);
        files_.remove(std::exchange(entry.watch, -1));
        start->machine = entry.machine = nullptr;
        // Not from within the machine's own callback.
        return loop_.post([this, start, here = std::weak_ptr(here_)] {
            if (here.lock()) prepare_start(start);
        });
    }
    if (!up) return give_up(start, up.error());
    entries_.at(start->launch.id.vm).start = nullptr;
    log_.info("VM runs", {{"vm", start->launch.id.vm},
                          {"epoch", start->launch.id.epoch},
                          {"pid", start->machine->instance().pid}});
    start->done(start->machine->instance());
    // Who cancelled it came too late for that.
    for (auto& done : start->cancelled_by) start->machine->kill(std::move(done));
}

void QemuHypervisor::give_up(std::shared_ptr<Start> start, Error error) {
    if (!start->machine || !start->machine->alive()) return clean_up(start, std::move(error));
    start->machine->kill([this, start, error](Result<StopHow>) { clean_up(start, error); });
}

void QemuHypervisor::clean_up(std::shared_ptr<Start> start, Error error) {
    log_.warn("VM did not start", {{"vm", start->launch.id.vm},
                                   {"epoch", start->launch.id.epoch},
                                   {"reason", describe(error)}});
    work<bool>(
        [traces = start->traces, cgroups = &cgroups_]() -> Result<bool> {
            remove_traces(traces, *cgroups);
            return os::path_exists(traces.directory);
        },
        [this, start, error](Result<bool> directory_stays) {
            const InstanceId id = start->launch.id;
            if (!directory_stays.value_or(true)) directories_.erase(id.uid);
            drop(id.vm);
            for (auto& done : start->cancelled_by) done(StopHow::kAlreadyGone);
            start->done(fail(error));
            tell(Event::Kind::kChanged, id);
        },
        waits_of(start->launch));
}

void QemuHypervisor::cancel(Start& start, Callback<StopHow> done) {
    start.cancelled = true;
    start.cancelled_by.push_back(std::move(done));
    if (start.machine) start.machine->kill_now();
}

// What runs.

void QemuHypervisor::exited(const std::string& directory, const ExitRecord& exit) {
    for (const auto& [vm, entry] : entries_) {
        if (!entry.machine || entry.machine->directory() != directory) continue;
        const MachinePtr machine = entry.machine;
        return machine->ended(exit);
    }
}

void QemuHypervisor::told(Machine& machine, Event::Kind kind) {
    const InstanceId id = machine.instance().id;
    if (kind == Event::Kind::kExited) {
        const auto found = entries_.find(id.vm);
        if (found != entries_.end()) files_.remove(std::exchange(found->second.watch, -1));
        const std::string group = machine.record().control_group;
        if (!group.empty()) {
            work<bool>(
                [group, cgroups = &cgroups_]() -> Result<bool> {
                    (void)cgroups->remove(group);
                    return true;
                },
                [](Result<bool>) {});
        }
        log_.info("VM exited",
                  {{"vm", id.vm}, {"epoch", id.epoch}, {"reason", machine.instance().message}});
    }
    tell(kind, id);
}

void QemuHypervisor::tell(Event::Kind kind, const InstanceId& id) {
    loop_.post([this, here = std::weak_ptr(here_), kind, id] {
        if (here.lock() && listener_) listener_({kind, id});
    });
}

void QemuHypervisor::watch_console(Entry& entry) {
    const std::weak_ptr<Machine> weak = entry.machine;
    const auto watch = files_.add(entry.machine->directory() + "/" + kConsoleLog, [this, weak] {
        const auto machine = weak.lock();
        if (!machine) return;
        if (const Status cut = machine->log().trim(); !cut) {
            log_.warn("console log",
                      {{"vm", machine->instance().id.vm}, {"reason", describe(cut.error())}});
        }
        tell(Event::Kind::kConsole, machine->instance().id);
    });
    entry.watch = watch.value_or(-1);
}

void QemuHypervisor::drop(const std::string& vm) {
    const auto found = entries_.find(vm);
    if (found == entries_.end()) return;
    if (found->second.watch >= 0) files_.remove(found->second.watch);
    // It may be one of its callbacks that drops it.
    loop_.post([machine = found->second.machine] {});
    entries_.erase(found);
}

void QemuHypervisor::set_listener(std::function<void(const Event&)> listener) {
    listener_ = std::move(listener);
}

void QemuHypervisor::feed(MonoTime deadline) {
    deadline_ = deadline;
    watchdog_.feed(deadline);
    loop_.cancel(fence_timer_);
    fence_timer_ = loop_.after(deadline - loop_.mono(), [this] {
        fence_timer_ = 0;
        fence_ourselves();
    });
}

// The watchdog does this too, and first; twice is safer than once.
void QemuHypervisor::fence_ourselves() {
    for (const auto& [vm, entry] : entries_) {
        if (entry.machine && entry.machine->instance().fenced) entry.machine->fence();
    }
}

}  // namespace blixard::hypervisor
