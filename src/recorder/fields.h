// The types that stand in a record, member by member: one description for writing and for reading.
#pragma once

#include "agent/agent.h"
#include "agent/state.h"
#include "controller/controller.h"
#include "controller/state.h"
#include "hypervisor/hypervisor.h"
#include "model/documents.h"
#include "recorder/codec.h"
#include "store/store.h"

namespace blixard::recorder {

template <class A>
void fields(A& a, store::KeyValue& item) {
    pack(a, item.key, item.value, item.create_revision, item.mod_revision, item.lease);
}
template <class A>
void fields(A& a, store::Change& change) {
    pack(a, change.deleted, change.item);
}
template <class A>
void fields(A& a, store::WatchBatch& batch) {
    pack(a, batch.changes, batch.revision);
}
template <class A>
void fields(A& a, store::Committed& done) {
    pack(a, done.succeeded, done.revision);
}
template <class A>
void fields(A& a, store::RangeResult& page) {
    pack(a, page.items, page.more, page.revision);
}
template <class A>
void fields(A& a, store::LeaseGrant& grant) {
    pack(a, grant.id, grant.ttl);
}

template <class A>
void fields(A& a, hypervisor::InstanceId& id) {
    pack(a, id.vm, id.uid, id.epoch);
}
template <class A>
void fields(A& a, hypervisor::Exit& exit) {
    pack(a, exit.status, exit.signal, exit.guest_shutdown, exit.stderr_tail, exit.at);
}
template <class A>
void fields(A& a, model::Address& address) {
    pack(a, address.nic, address.address, address.guest_port);
}
template <class A>
void fields(A& a, hypervisor::Instance& instance) {
    pack(a, instance.id, instance.state, instance.pid, instance.pid_start, instance.fenced,
         instance.started, instance.exit, instance.generation, instance.restart_generation,
         instance.machine, instance.accelerator, instance.addresses, instance.devices,
         instance.message);
}
template <class A>
void fields(A& a, hypervisor::Event& event) {
    pack(a, event.kind, event.id);
}

template <class A>
void fields(A& a, model::NodeStatus& status) {
    std::string json = A::kReads ? std::string{} : model::to_json(status);
    one(a, json);
    if constexpr (A::kReads)
        if (auto parsed = model::parse_node_status(json, model::Mode::kLenient))
            status = std::move(*parsed);
}
template <class A>
void fields(A& a, agent::GivenUp& up) {
    pack(a, up.uid, up.generation, up.restart_generation);
}
template <class A>
void fields(A& a, agent::Memory& m) {
    pack(a, m.restarts, m.start_not_before, m.running_since, m.silent_since, m.given_up, m.failure,
         m.stopped_by, m.unhealthy, m.files_missing);
}
template <class A>
void fields(A& a, agent::VmState& vm) {
    pack(a, vm.memory, vm.look, vm.health, vm.health_failures, vm.health_known, vm.healthy);
}
template <class A>
void fields(A& a, agent::LeaseState& lease) {
    pack(a, lease.id, lease.key_revision, lease.deadline, lease.granted_at, lease.tick);
}
template <class A>
void fields(A& a, agent::AgentState& state) {
    pack(a, state.run_uid, state.facts, state.lease, state.look_at_all, state.vms, state.leftovers);
}
template <class A>
void fields(A& a, agent::AgentSettings& s) {
    pack(a, s.node, s.facts, s.storage.data_dir, s.storage.pools, s.lease.ttl, s.run_uid,
         s.look_at_all_every);
}

template <class A>
void fields(A& a, controller::Sight& sight) {
    pack(a, sight.gone_since, sight.gone_revision, sight.gone_wall, sight.lease, sight.ttl);
}
template <class A>
void fields(A& a, controller::ControllerState& s) {
    pack(a, s.in_office, s.tick, s.compact, s.sights, s.seen_lost, s.dirty_vms, s.dirty_nodes,
         s.pending_since, s.pending_told, s.rounds, s.drains_looked_at, s.reservations, s.round_at,
         s.vms_per_commit, s.history);
}
template <class A>
void fields(A& a, scheduler::Resources& r) {
    pack(a, r.cpu_milli, r.memory_mib, r.disk_mib);
}
template <class A>
void fields(A& a, scheduler::Quota& q) {
    pack(a, q.limit, q.vms, q.gpu_milli);
}
template <class A>
void fields(A& a, scheduler::Policy& p) {
    pack(a, p.strategy, p.project_strategy, p.quota, p.weight_cpu, p.weight_memory, p.weight_disk,
         p.zone_points, p.preempt_always, p.reserve_after, p.runners_up);
}
template <class A>
void fields(A& a, controller::ControllerSettings& s) {
    pack(a, s.node, s.run_uid, s.lease_ttl, s.policy, s.keep_history, s.look_every);
}

}  // namespace blixard::recorder
