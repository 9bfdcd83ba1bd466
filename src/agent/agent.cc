#include "agent/agent.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::agent {
namespace {

// For people there are two ways to stop: the guest did it, or it was ended. Which way it was ended
// is said beside it.
void remember_stop(hypervisor::StopHow how, Memory& memory) {
    switch (how) {
        case hypervisor::StopHow::kGuest: memory.stopped_by = "guest"; return;
        case hypervisor::StopHow::kQuit:
            memory.stopped_by = "killed";
            memory.failure = "the guest did not power off when asked: QEMU was told to quit";
            return;
        case hypervisor::StopHow::kKilled:
            memory.stopped_by = "killed";
            memory.failure = "QEMU was ended by SIGKILL";
            return;
        case hypervisor::StopHow::kAlreadyGone: return;
    }
}

}  // namespace

Agent::Agent(Deps deps, AgentSettings settings)
    : deps_(deps),
      settings_(std::move(settings)),
      facts_(settings_.facts),
      run_uid_(settings_.run_uid.empty() ? make_id(deps.random) : settings_.run_uid),
      lease_(
          {deps.store, deps.executor, deps.clock, deps.log}, settings_.node, run_uid_,
          settings_.lease, [this] { return key_seen(); },
          [this](MonoTime deadline) { deps_.hypervisor.feed(deadline); }, [this] { key_written(); },
          [this] { look_at_all(); }) {}

Agent::~Agent() { stop(); }

// Not before the view has reached our own lease: what it showed before may be older than a
// failover.
void Agent::key_written() {
    working_ = false;
    const store::Revision from = mutant(MutantId::kWorkBeforeView) ? 0 : lease_.key_revision();
    deps_.view.when_at(from, [this, weak = std::weak_ptr(alive_)] {
        if (!weak.expired()) take_up_work();
    });
}

void Agent::take_up_work() {
    const view::SnapshotPtr state = deps_.view.current();
    // It has come to a lease that was lost meanwhile.
    const bool is_behind = state->revision < lease_.key_revision();
    if (is_behind && !mutant(MutantId::kWorkBeforeView)) return;
    const view::NodeEntry* node = state->nodes.find(settings_.node);
    const bool vouched = node && node->spec && !node->spec->value.lost_at.empty();
    if (vouched && !mutant(MutantId::kVouchKept)) return take_back_loss(*node);
    working_ = true;
    write_facts();
    look_at_all();
}

// People vouched that this host had no power: for the last time, not for the next. Nothing is
// started here before that is taken back: else, were this host cut off now, others would place anew
// what is not fenced while it runs.
void Agent::take_back_loss(const view::NodeEntry& node) {
    if (lease_.key_revision() == 0) return;  // with the next key
    model::NodeSpec spec = node.spec->value;
    spec.lost_at.clear();
    store::Transaction back;
    const std::string key = model::node_key(settings_.node, "spec");
    back.compares.push_back({key, node.spec->mod_revision});
    back.compares.push_back({model::node_key(settings_.node, "lease"), lease_.key_revision()});
    back.puts.push_back({.key = key, .value = model::to_json(spec)});
    deps_.store.commit(std::move(back),
                       [this, weak = std::weak_ptr(alive_)](const Result<store::Committed>& done) {
                           if (weak.expired()) return;
                           const auto again = [this, weak] {
                               if (!weak.expired() && !working_) take_up_work();
                           };
                           if (done && done->succeeded)
                               return deps_.view.when_at(done->revision, again);
                           deps_.executor.after(kRetryStatus, again);
                       });
}

store::Revision Agent::key_seen() const {
    const view::SnapshotPtr state = deps_.view.current();
    const view::NodeEntry* node = state->nodes.find(settings_.node);
    return node && node->lease ? node->lease->mod_revision : 0;
}

void Agent::stop() {
    stopped_ = true;
    alive_.reset();
}

void Agent::listen() {
    deps_.hypervisor.set_listener(
        [this, weak = std::weak_ptr(alive_)](const hypervisor::Event& event) {
            if (!weak.expired()) on_event(event);
        });
}

void Agent::start(std::function<void(Status)> ready) {
    listen();
    deps_.hypervisor.recover([this, ready = std::move(ready), weak = std::weak_ptr(alive_)](
                                 Result<std::vector<hypervisor::Instance>> found) {
        if (weak.expired()) return;
        if (!found) return ready(tl::make_unexpected(found.error()));
        for (const hypervisor::InstanceId& id : deps_.hypervisor.leftovers())
            leftovers_[id.vm].insert(id.uid);
        note_deleted_volumes();
        deps_.view.subscribe([this, weak](const std::shared_ptr<const view::Update>& update) {
            if (!weak.expired()) on_update(*update);
        });
        lease_.start();
        look_again_later();
        ready({});
    });
}

std::optional<AgentState> Agent::state() const {
    if (!working_ || facts_writing_ || drain_posted_ || !marked_.empty() ||
        !volumes_deleting_.empty() || deps_.view.current()->revision < lease_.key_revision())
        return std::nullopt;
    AgentState state{.run_uid = run_uid_,
                     .facts = facts_,
                     .lease = lease_.state(),
                     .look_at_all = look_timer_,
                     .leftovers = leftovers_};
    for (const auto& [name, vm] : vms_) {
        if (vm.acting || vm.killing || vm.reporting || vm.starting_reported) return std::nullopt;
        state.vms[name] = {vm.memory,          vm.timer,        vm.health_timer,
                           vm.health_failures, vm.health_known, vm.healthy};
    }
    return state;
}

void Agent::resume(const AgentState& state) {
    facts_ = state.facts;
    leftovers_ = state.leftovers;
    listen();
    note_deleted_volumes();
    deps_.view.subscribe(
        [this, weak = std::weak_ptr(alive_)](const std::shared_ptr<const view::Update>& update) {
            if (!weak.expired()) on_update(*update);
        });
    working_ = true;
    lease_.resume(state.lease);
    look_again_later();
    for (const auto& [name, vm] : state.vms) {
        vms_[name] = Vm{.memory = vm.memory,
                        .health_failures = vm.health_failures,
                        .health_known = vm.health_known,
                        .healthy = vm.healthy};
        if (vm.look != 0) look_later(name, Millis{0});
        if (vm.health != 0) check_health_later(name, Millis{0});
    }
}

void Agent::look_again_later() {
    look_timer_ =
        deps_.executor.after(settings_.look_at_all_every, [this, weak = std::weak_ptr(alive_)] {
            if (weak.expired()) return;
            look_at_all();
            look_again_later();
        });
}

void Agent::set_facts(model::NodeStatus facts) {
    facts_ = std::move(facts);
    write_facts();
}

void Agent::write_facts() {
    if (!working_ || facts_writing_ || lease_.key_revision() == 0) return;
    const view::NodeEntry* node = deps_.view.current()->nodes.find(settings_.node);
    std::string bytes = model::to_json(facts_);
    if (node && node->status && node->status->bytes == bytes) return;
    facts_writing_ = true;
    store::Transaction put;
    put.compares.push_back({model::node_key(settings_.node, "lease"), lease_.key_revision()});
    put.puts.push_back(
        {.key = model::node_key(settings_.node, "status"), .value = std::move(bytes)});
    deps_.store.commit(
        std::move(put), [this, weak = std::weak_ptr(alive_)](const Result<store::Committed>& done) {
            if (weak.expired()) return;
            facts_writing_ = false;
            if (!done || !done->succeeded)
                deps_.log.warn(
                    "node status not written",
                    {{"error", done ? "the lease is not ours any more" : describe(done.error())}});
        });
}

// ---- looking ----

void Agent::on_update(const view::Update& update) {
    if (update.reloaded) {
        note_deleted_volumes();
        if (mutant(MutantId::kReloadUnlooked)) return;
        return look_at_all();
    }
    for (const view::Changed& change : update.changes) {
        switch (change.kind) {
            case model::RecordKind::kVmSpec:
            case model::RecordKind::kVmPlacement:
            case model::RecordKind::kVmStatus: {
                const std::string vm = change.project + "/" + change.name;
                const view::VmEntry* entry = update.snapshot->vms.find(vm);
                const bool here = (entry && entry->node() == settings_.node) || vms_.contains(vm) ||
                                  leftovers_.contains(vm);
                if (here) mark(vm);
                break;
            }
            case model::RecordKind::kNodeLease:
                if (change.name == settings_.node && change.deleted)
                    lease_.key_is_gone(change.revision);
                break;
            case model::RecordKind::kNodeStatus:
                if (change.name == settings_.node) write_facts();
                break;
            case model::RecordKind::kVolumeSpec:
                if (const view::VolumeEntry* volume =
                        update.snapshot->volumes.find(change.project + "/" + change.name))
                    note_volume(*volume);
                remove_volumes();
                break;
            case model::RecordKind::kImage: look_at_all(); break;
            default: break;
        }
    }
}

void Agent::on_event(const hypervisor::Event& event) {
    if (event.kind == hypervisor::Event::Kind::kConsole) return;
    if (event.kind == hypervisor::Event::Kind::kExited) ++counters_.exits;
    mark(event.id.vm);
}

void Agent::look_at_all() {
    if (!working_) return;
    const view::SnapshotPtr state = deps_.view.current();
    state->for_each_vm_on(settings_.node, [&](const view::VmEntry& vm) {
        mark(vm.key);
        return true;
    });
    for (const auto& [vm, memory] : vms_) mark(vm);
    for (const auto& [vm, uids] : leftovers_) mark(vm);
    for (const hypervisor::Instance& instance : deps_.hypervisor.instances()) mark(instance.id.vm);
    remove_volumes();
    write_facts();
    if (!state->nodes.find(settings_.node) || !state->nodes.find(settings_.node)->lease)
        lease_.key_is_gone(state->revision);
}

void Agent::mark(const std::string& vm) {
    marked_.insert(vm);
    if (drain_posted_) return;
    drain_posted_ = true;
    deps_.executor.post([this, weak = std::weak_ptr(alive_)] {
        if (!weak.expired()) drain_marks();
    });
}

void Agent::drain_marks() {
    drain_posted_ = false;
    if (!working_) return;
    instances_.clear();
    for (hypervisor::Instance& instance : deps_.hypervisor.instances())
        instances_[instance.id.vm] = std::move(instance);
    std::set<std::string> marked;
    marked.swap(marked_);
    for (const std::string& vm : marked) look(vm);
}

const hypervisor::Instance* Agent::instance_of(const std::string& vm) {
    const auto found = instances_.find(vm);
    return found == instances_.end() ? nullptr : &found->second;
}

Wanted Agent::wanted_of(const view::VmEntry* entry, const std::string& vm) const {
    Wanted wanted;
    if (!entry) return wanted;
    const auto directories = leftovers_.find(vm);
    wanted.leftover = entry->record && directories != leftovers_.end() &&
                      directories->second.contains(entry->record->value.uid.str());
    if (entry->record) wanted.record = &entry->record->value;
    if (entry->placement) wanted.placement = &entry->placement->value;
    if (entry->status) wanted.status = &entry->status->value;
    wanted.mine = entry->node() == settings_.node;
    return wanted;
}

void Agent::look(const std::string& vm) {
    const view::SnapshotPtr state = deps_.view.current();
    const view::VmEntry* entry = state->vms.find(vm);
    const hypervisor::Instance* instance = instance_of(vm);
    // It is not gone: a newer version has said something about it that we cannot read.
    if (entry && entry->not_understood != 0 && !mutant(MutantId::kNewerActedOn)) return;
    Vm& mine = vms_[vm];
    const MonoTime now = deps_.clock.mono();
    if (instance && instance->state == hypervisor::InstanceState::kUnknown) {
        if (!mine.memory.silent_since) mine.memory.silent_since = now;
    } else if (!mutant(MutantId::kSilenceCutShort)) {
        mine.memory.silent_since.reset();
    }
    if (instance && instance->state == hypervisor::InstanceState::kRunning) {
        if (!mine.memory.running_since) mine.memory.running_since = now;
    }
    // Also where it has just ended: nothing need have happened to it while it ran well.
    if (mine.memory.running_since && now - *mine.memory.running_since >= kHealthyAfter &&
        !mutant(MutantId::kRestartsNeverReset))
        mine.memory.restarts = 0;
    if (!instance || instance->state != hypervisor::InstanceState::kRunning)
        mine.memory.running_since.reset();
    const Wanted wanted = wanted_of(entry, vm);
    if (mine.acting) {
        // A start or stop that takes its time may become a kill: people asked for it, or the VM is
        // not ours any more.
        const bool forced = wanted.record && wanted.record->force;
        const bool unwanted = wanted.record && (wanted.record->spec.run == model::Run::kStopped ||
                                                !wanted.record->deleted_at.empty());
        const auto state_is = [&](hypervisor::InstanceState state) {
            return instance && instance->state == state && !mine.killing;
        };
        const bool urgent =
            (state_is(hypervisor::InstanceState::kStopping) && (!wanted.mine || forced)) ||
            (state_is(hypervisor::InstanceState::kStarting) &&
             (!wanted.mine || (forced && unwanted)));
        if (urgent) {
            mine.killing = true;
            deps_.hypervisor.kill(instance->id, [](const Result<hypervisor::StopHow>&) {});
        }
        return;
    }
    if (const std::string uid = stale_directory(vm, entry, instance); !uid.empty()) {
        mine.acting = true;
        return purge(vm, uid);
    }
    const Decision decision = plan(wanted, instance, mine.memory, lease_.held(), now);
    if (decision.count_restart) count_restart(mine, decision.message);
    if (decision.look_again) {
        deps_.executor.cancel(mine.timer);
        const Millis wait = *decision.look_again > now ? *decision.look_again - now : Millis{0};
        look_later(vm, wait);
    }
    act(vm, entry, instance, decision);
    if (decision.phase && entry && decision.step != Step::kStart)
        report(vm, *entry, instance, *decision.phase, decision.message);
    if (instance && entry && entry->record && decision.step == Step::kNone)
        watch_health(vm, *entry, *instance);
    const auto idle = vms_.find(vm);
    if (idle != vms_.end() && !instance && !wanted.mine && !idle->second.acting &&
        !idle->second.reporting) {
        deps_.executor.cancel(idle->second.timer);
        deps_.executor.cancel(idle->second.health_timer);
        vms_.erase(idle);
    }
}

void Agent::look_later(const std::string& vm, Millis delay) {
    vms_[vm].timer = deps_.executor.after(delay, [this, vm, weak = std::weak_ptr(alive_)] {
        if (!weak.expired()) mark(vm);
    });
}

void Agent::count_restart(Vm& vm, const std::string& why) {
    vm.memory.failure = why;
    vm.memory.files_missing = false;
    vm.memory.start_not_before = deps_.clock.mono() + restart_backoff(vm.memory.restarts);
    ++vm.memory.restarts;
    vm.memory.unhealthy = false;
    ++counters_.restarts;
}

// ---- acting ----

void Agent::step_done(const std::string& vm) {
    const auto found = vms_.find(vm);
    if (found != vms_.end()) {
        found->second.acting = false;
        found->second.killing = false;
        found->second.starting_reported = false;
    }
    mark(vm);
}

void Agent::act(const std::string& vm, const view::VmEntry* entry,
                const hypervisor::Instance* instance, const Decision& decision) {
    Vm& mine = vms_[vm];
    if (decision.step != Step::kNone) {
        deps_.log.debug("step", {{"vm", vm}, {"step", static_cast<int>(decision.step)}});
        mine.health_question = 0;
    }
    const auto stopped = [this, vm,
                          weak = std::weak_ptr(alive_)](const Result<hypervisor::StopHow>& how) {
        if (weak.expired()) return;
        ++counters_.stops;
        if (how)
            remember_stop(*how, vms_[vm].memory);
        else
            deps_.log.warn("vm not stopped", {{"vm", vm}, {"error", describe(how.error())}});
        step_done(vm);
    };
    const auto done = [this, vm, weak = std::weak_ptr(alive_)](const Result<bool>& result) {
        if (weak.expired()) return;
        if (!result)
            deps_.log.warn("step failed", {{"vm", vm}, {"error", describe(result.error())}});
        step_done(vm);
    };
    switch (decision.step) {
        case Step::kNone: return;
        case Step::kStart: mine.acting = true; return start_vm(vm, *entry);
        case Step::kStop: {
            mine.acting = true;
            std::int64_t grace_s =
                entry && entry->record ? entry->record->value.spec.stop_timeout_s : 30;
            if (mutant(MutantId::kGraceIgnored)) grace_s = 0;
            return deps_.hypervisor.stop(instance->id, seconds(grace_s), stopped);
        }
        case Step::kKill: mine.acting = true; return deps_.hypervisor.kill(instance->id, stopped);
        case Step::kPause: mine.acting = true; return deps_.hypervisor.pause(instance->id, done);
        case Step::kResume: mine.acting = true; return deps_.hypervisor.resume(instance->id, done);
        case Step::kForget:
            deps_.hypervisor.forget(instance->id);
            if (!decision.count_restart) mine.memory.start_not_before.reset();
            mine.memory.unhealthy = false;
            return mark(vm);
        case Step::kPurge: mine.acting = true; return purge(vm, entry->record->value.uid.str());
        case Step::kFinish: mine.acting = true; return finish_vm(vm, *entry);
    }
}

// The directory of a VM that does not exist any more, of this name: deleted, or made anew since.
std::string Agent::stale_directory(const std::string& vm, const view::VmEntry* entry,
                                   const hypervisor::Instance* instance) const {
    const auto directories = leftovers_.find(vm);
    if (directories == leftovers_.end()) return {};
    for (const std::string& uid : directories->second) {
        const bool known = entry && entry->record && entry->record->value.uid == uid;
        const bool in_use = instance && instance->id.uid == uid;
        if (!known && !in_use && !mutant(MutantId::kDirectoryLeft)) return uid;
    }
    return {};
}

// ---- saying ----

model::VmStatus Agent::status_for(const view::VmEntry& entry, const hypervisor::Instance* instance,
                                  model::Phase phase, const std::string& message,
                                  const Vm& vm) const {
    const model::VmRecord& record = entry.record->value;
    const std::int64_t epoch = entry.placement->value.epoch;
    model::VmStatus status;
    const bool continues =
        entry.status && entry.status->value.uid == record.uid && entry.status->value.epoch == epoch;
    if (continues) status = entry.status->value;
    status.uid = record.uid;
    if (!continues || status.phase != phase) status.since = to_rfc3339(deps_.clock.wall());
    status.phase = phase;
    status.message = message;
    status.node = settings_.node;
    status.epoch = epoch;
    status.restarts = vm.memory.restarts;
    const bool lives = instance && instance->state != hypervisor::InstanceState::kExited;
    status.pid = lives ? instance->pid : mutant(MutantId::kPidKept) ? status.pid : 0;
    status.pid_start = lives ? static_cast<std::int64_t>(instance->pid_start) : 0;
    status.addresses = lives ? instance->addresses : std::vector<model::Address>{};
    status.devices = lives ? instance->devices : std::vector<std::string>{};
    status.health = vm.health_known ? (vm.healthy ? "healthy" : "unhealthy") : "";
    if (instance) {
        status.generation = instance->generation;
        status.restart_generation = instance->restart_generation;
        status.machine = instance->machine;
        status.accelerator = instance->accelerator;
        status.started_at = to_rfc3339(instance->started);
    }
    // An end is said about the spec as it is now: only what is asked after it is a reason to start
    // again.
    const bool ended = phase == model::Phase::kStopped || phase == model::Phase::kFailed;
    if (ended || (!instance && phase == model::Phase::kStarting)) {
        status.generation = record.generation;
        status.restart_generation = record.restart_generation;
    }
    if (phase == model::Phase::kStopped)
        status.stopped_by = vm.memory.stopped_by.empty() ? status.stopped_by : vm.memory.stopped_by;
    if (lives || phase == model::Phase::kStarting) status.stopped_by.clear();
    if (phase == model::Phase::kStopped && status.stopped_by.empty() && instance)
        status.stopped_by = "exited";
    return status;
}

void Agent::report(const std::string& vm, const view::VmEntry& entry,
                   const hypervisor::Instance* instance, model::Phase phase,
                   const std::string& message) {
    if (!entry.record || !entry.placement) return;
    Vm& mine = vms_[vm];
    if (mine.reporting) {  // looked at again when that is answered
        mine.report_again = true;
        return;
    }
    const model::VmStatus status = status_for(entry, instance, phase, message, mine);
    if (entry.status && entry.slice(entry.status_bytes) == model::to_json(status)) return;
    mine.reporting = true;
    commit_status(vm, entry, status, {}, [this, vm](bool written) {
        const auto found = vms_.find(vm);
        if (found == vms_.end()) return;
        found->second.reporting = false;
        const bool again = std::exchange(found->second.report_again, false);
        // The view may have shown it, and the VM been looked at, before it was answered.
        if (written) {
            if (again) mark(vm);
            return;
        }
        deps_.executor.after(kRetryStatus, [this, vm, weak = std::weak_ptr(alive_)] {
            if (!weak.expired()) mark(vm);
        });
    });
}

// Writes a status on condition that the placement is the one we act for and that this host's lease
// is ours.
void Agent::commit_status(const std::string& vm, const view::VmEntry& entry,
                          const model::VmStatus& status, store::Transaction transaction,
                          std::function<void(bool)> done) {
    // Comparing revision 0 would hold while the key is absent: exactly when we may not speak.
    if (lease_.key_revision() == 0) return done(false);
    ++counters_.status_writes;
    transaction.compares.push_back(
        {model::vm_key(entry.project(), entry.name(), "placement"), entry.placement->mod_revision});
    // Two of our own writes may overtake each other on the way.
    transaction.compares.push_back({model::vm_key(entry.project(), entry.name(), "status"),
                                    entry.status ? entry.status->mod_revision : 0});
    transaction.compares.push_back(
        {model::node_key(settings_.node, "lease"), lease_.key_revision()});
    transaction.puts.push_back({.key = model::vm_key(entry.project(), entry.name(), "status"),
                                .value = model::to_json(status)});
    deps_.store.commit(std::move(transaction), [this, vm, done = std::move(done),
                                                weak = std::weak_ptr(alive_)](
                                                   const Result<store::Committed>& result) {
        if (weak.expired()) return;
        if (!result) {
            deps_.log.warn("status not written", {{"vm", vm}, {"error", describe(result.error())}});
            return done(mutant(MutantId::kUnknownIsDone));
        }
        if (!result->succeeded) return done(false);
        deps_.view.when_at(result->revision, [done, weak] {
            if (!weak.expired()) done(true);
        });
    });
}

}  // namespace blixard::agent
