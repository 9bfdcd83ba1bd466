#include "controller/inventory.h"

#include <set>
#include <utility>

#include "base/mutant.h"
#include "controller/translate.h"

namespace blixard::controller {

namespace {

std::string hold_name(const std::string& vm) { return "held for " + vm; }

}  // namespace

void Inventory::rebuild(const view::Snapshot& state,
                        const std::map<std::string, scheduler::HostState>& states,
                        const Busy& busy) {
    const scheduler::Cluster before = std::exchange(cluster_, scheduler::Cluster());
    for (const auto& [node, host_state] : states) refresh_node(state, node, host_state, busy);
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (!busy.contains(vm->key)) refresh_vm(state, vm->key);
    });
    const auto count_as_before = [&](const std::string& vm) {
        const scheduler::VmIndex index = before.find_vm(vm);
        if (index == scheduler::kNoVm) return;
        const scheduler::VmSlot& counted = before.vm(index);
        count(counted.request, before.host_of(vm), before.assignment_of(counted.take));
    };
    for (const std::string& vm : std::set(busy.begin(), busy.end())) {
        count_as_before(vm);
        count_as_before(hold_name(vm));
    }
    learn_mix(cluster_, state);
    learnt_ = state.revision;
}

void Inventory::refresh_node(const view::Snapshot& state, const std::string& node,
                             scheduler::HostState host_state, const Busy& busy) {
    const view::NodeEntry* entry = state.nodes.find(node);
    if (!entry || !entry->status) {
        if (cluster_.find_host(node) == scheduler::kNoHost) return;
        (void)cluster_.set_host_state(node, scheduler::HostState::kLost);
        (void)cluster_.remove_host(node);  // refused while VMs lie there: it stays as lost
        return;
    }
    const bool is_new = cluster_.find_host(node) == scheduler::kNoHost;
    if (Status done = cluster_.upsert_host(host_of(*entry, host_state)); !done)
        log_.error("host not counted", {{"node", node}, {"error", describe(done.error())}});
    if (is_new)
        state.for_each_vm_on(node, [&](const view::VmEntry& vm) {
            if (!busy.contains(vm.key)) refresh_vm(state, vm.key);
            return true;
        });
}

void Inventory::refresh_vm(const view::Snapshot& state, const std::string& vm) {
    const view::VmEntry* entry = state.vms.find(vm);
    uncount(vm);
    if (!entry || !entry->record || entry->node().empty()) return;
    if (mutant(MutantId::kStartingIsNothing) && entry->phase == model::Phase::kStarting) return;
    const std::string node(entry->node());
    count(controller::request_of(*entry, state), node, assignment_of(entry->placement->value));
}

void Inventory::count(std::shared_ptr<const scheduler::Request> request, const std::string& host,
                      const scheduler::Assignment& where) {
    const std::string vm = request->vm;
    if (cluster_.find_host(host) == scheduler::kNoHost) return;  // counted when the host appears
    if (Status done = cluster_.place(std::move(request), host, where); !done)
        log_.error("vm not counted",
                   {{"vm", vm}, {"node", host}, {"error", describe(done.error())}});
}

void Inventory::uncount(const std::string& vm) {
    if (cluster_.find_vm(vm) != scheduler::kNoVm) (void)cluster_.release(vm);
}

// Room alone: rules count the VM where it is.
void Inventory::hold(const scheduler::Request& request, const std::string& host,
                     const scheduler::Assignment& where) {
    auto room = std::make_shared<scheduler::Request>();
    room->vm = hold_name(request.vm);
    room->need = request.need;
    room->gpu = request.gpu;
    room->devices = request.devices;
    room->numa = request.numa;
    drop_hold(request.vm);
    count(std::move(room), host, where);
}

bool Inventory::drop_hold(const std::string& vm) {
    return cluster_.release(hold_name(vm)).has_value();
}

std::shared_ptr<const scheduler::Request> Inventory::request_of(const std::string& vm) const {
    const scheduler::VmIndex index = cluster_.find_vm(vm);
    return index == scheduler::kNoVm ? nullptr : cluster_.vm(index).request;
}

}  // namespace blixard::controller
