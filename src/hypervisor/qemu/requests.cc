// What the agent asks of VMs that are here already; starting and recovering stand in
// qemu_hypervisor.cc.
#include "hypervisor/qemu/ceph_image.h"
#include "hypervisor/qemu/disks.h"
#include "hypervisor/qemu/qemu_hypervisor.h"
#include "os/files.h"

namespace blixard::hypervisor {
namespace {

tl::unexpected<Error> not_here(const std::string& vm) {
    return fail(ErrorCode::kNotFound, "VM " + vm + " does not run on this host");
}

// An answer that is known at once still comes later.
template <class T>
void answer(os::EventLoop& loop, Callback<T> done, Result<T> result) {
    loop.post([done = std::move(done), result = std::move(result)] { done(result); });
}

// The same for a callback that may be called from within.
template <class T>
Callback<T> later(os::EventLoop& loop, Callback<T> done) {
    return [&loop, done = std::move(done)](Result<T> result) {
        answer<T>(loop, done, std::move(result));
    };
}

}  // namespace

Result<QemuHypervisor::MachinePtr> QemuHypervisor::alive(const InstanceId& id) const {
    const auto found = entries_.find(id.vm);
    if (found == entries_.end() || !found->second.machine ||
        found->second.machine->instance().id != id || found->second.machine->exited()) {
        return not_here(id.vm);
    }
    return found->second.machine;
}

QemuHypervisor::Start* QemuHypervisor::starting(const InstanceId& id) const {
    const auto found = entries_.find(id.vm);
    if (found == entries_.end() || !found->second.start || found->second.start->launch.id != id)
        return nullptr;
    return found->second.start.get();
}

void QemuHypervisor::stop(const InstanceId& id, Millis grace, Callback<StopHow> done) {
    if (Start* const start = starting(id)) return cancel(*start, std::move(done));
    const auto machine = alive(id);
    if (!machine) return answer<StopHow>(loop_, std::move(done), StopHow::kAlreadyGone);
    (*machine)->stop(grace, later(loop_, std::move(done)));
}

void QemuHypervisor::kill(const InstanceId& id, Callback<StopHow> done) {
    if (Start* const start = starting(id)) return cancel(*start, std::move(done));
    const auto machine = alive(id);
    if (!machine) return answer<StopHow>(loop_, std::move(done), StopHow::kAlreadyGone);
    (*machine)->kill(later(loop_, std::move(done)));
}

void QemuHypervisor::pause(const InstanceId& id, Callback<bool> done) {
    const auto machine = alive(id);
    if (!machine) return answer<bool>(loop_, std::move(done), fail(machine.error()));
    (*machine)->set_paused(true, later(loop_, std::move(done)));
}

void QemuHypervisor::resume(const InstanceId& id, Callback<bool> done) {
    const auto machine = alive(id);
    if (!machine) return answer<bool>(loop_, std::move(done), fail(machine.error()));
    (*machine)->set_paused(false, later(loop_, std::move(done)));
}

void QemuHypervisor::usage(const InstanceId& id, Callback<Usage> done) {
    const auto machine = alive(id);
    if (!machine) return answer<Usage>(loop_, std::move(done), fail(machine.error()));
    (*machine)->usage(later(loop_, std::move(done)));
}

void QemuHypervisor::forget(const InstanceId& id) {
    const auto found = entries_.find(id.vm);
    if (found == entries_.end() || !found->second.machine || found->second.start) return;
    const Machine& machine = *found->second.machine;
    if (machine.instance().id != id || !machine.exited()) return;
    for (const char* name : {kRunFile, kExitFile, kMonitorSocket, kConsoleSocket}) {
        (void)os::remove_file(machine.directory() + "/" + name);
    }
    drop(id.vm);
}

void QemuHypervisor::purge(const std::string& vm, const std::string& uid, Callback<bool> done) {
    const auto found = directories_.find(uid);
    if (found == directories_.end() || found->second.vm != vm)
        return answer<bool>(loop_, std::move(done), true);
    const auto entry = entries_.find(vm);
    if (entry != entries_.end()) {
        const Entry& here = entry->second;
        const Instance instance = instance_of(here);
        const InstanceId& id = instance.id;
        if (id.uid == uid && instance.state != InstanceState::kExited) {
            return answer<bool>(
                loop_, std::move(done),
                fail(ErrorCode::kConflict, "VM " + vm + " runs on this host", "stop it first"));
        }
        if (id.uid == uid) drop(vm);
    }
    work<bool>(
        [path = vm_directory(uid)]() -> Result<bool> {
            RETURN_IF_ERROR(os::remove_tree(path));
            return true;
        },
        [this, uid, done = std::move(done)](Result<bool> removed) {
            if (removed) directories_.erase(uid);
            done(std::move(removed));
        });
}

std::vector<InstanceId> QemuHypervisor::leftovers() const {
    std::vector<InstanceId> all;
    for (const auto& [uid, id] : directories_) all.push_back(id);
    return all;
}

Status QemuHypervisor::unused(const std::string& path) const {
    for (const auto& [vm, entry] : entries_) {
        bool open = false;
        if (entry.machine && !entry.machine->exited()) {
            for (const std::string& disk : entry.machine->record().disks) open |= disk == path;
        }
        if (entry.start) {
            for (const DiskFile& disk : entry.start->launch.disks) open |= disk.path == path;
        }
        if (open)
            return fail(ErrorCode::kConflict, "disk " + path + " is open in VM " + vm,
                        "stop the VM first");
    }
    return {};
}

void QemuHypervisor::delete_disk(const std::string& path, Callback<bool> done) {
    if (const Status free = unused(path); !free)
        return answer<bool>(loop_, std::move(done), fail(free.error()));
    work<bool>(
        [path]() -> Result<bool> {
            RETURN_IF_ERROR(remove_disk(path));
            return true;
        },
        std::move(done), is_ceph(path) ? Waits::kForCeph : Waits::kHere);
}

// The console.

std::optional<std::string> QemuHypervisor::directory_of(const std::string& vm) const {
    if (const auto found = entries_.find(vm); found != entries_.end() && found->second.machine) {
        return found->second.machine->directory();
    }
    for (const auto& [uid, id] : directories_) {
        if (id.vm == vm) return vm_directory(uid);
    }
    return std::nullopt;
}

Result<std::string> QemuHypervisor::console_log(const std::string& vm, std::size_t max_bytes) {
    const auto directory = directory_of(vm);
    if (!directory) return not_here(vm);
    return ConsoleLog(*directory).tail(max_bytes);
}

Result<ConsoleId> QemuHypervisor::console_open(const std::string& vm, ConsoleReader& reader) {
    const auto found = entries_.find(vm);
    if (found == entries_.end() || !found->second.machine || !found->second.machine->alive())
        return not_here(vm);
    const ConsoleId id = ++last_console_;
    RETURN_IF_ERROR(found->second.machine->console().open(id, reader));
    consoles_[id] = vm;
    return id;
}

Status QemuHypervisor::console_write(const std::string& vm, std::string_view bytes) {
    const auto found = entries_.find(vm);
    if (found == entries_.end() || !found->second.machine || !found->second.machine->alive())
        return not_here(vm);
    return found->second.machine->console().write(bytes);
}

void QemuHypervisor::console_close(ConsoleId console) {
    const auto open = consoles_.extract(console);
    if (open.empty()) return;
    const auto found = entries_.find(open.mapped());
    if (found != entries_.end() && found->second.machine)
        found->second.machine->console().close(console);
}

bool QemuHypervisor::console_has(const std::string& vm, std::string_view text) {
    const auto found = entries_.find(vm);
    if (found == entries_.end() || !found->second.machine) return false;
    Machine& machine = *found->second.machine;
    return machine.log().has(text, machine.instance().started);
}

}  // namespace blixard::hypervisor
