#include "controller/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "controller/company.h"
#include "controller/translate.h"
#include "model/documents.h"
#include "model/keys.h"
#include "scheduler/place.h"

namespace blixard::controller {
namespace {

constexpr Millis kLookEvery = seconds(5);  // a safety net for lost notifications
constexpr Millis kTellPendingEvery =
    seconds(30);  // a pending VM's changed reason is written no more often
constexpr Millis kReasonLookedAtEvery =
    seconds(5);                           // what would help costs more to find than the refusal
constexpr Millis kAskAgain = seconds(1);  // a VM whose victims were busy
// Then other work of the loop gets its turn.
constexpr std::size_t kDecisionsPerTick = 500;
constexpr Millis kDecidingPerTick{50};
// In a full cluster whatever comes free would have all who wait asked anew: with some thousand of
// them that alone would fill a core. The next round comes the later the more were asked in the
// last: after some times what asking takes (bench curves: tens of µs each). No room is unused for
// longer than that.
constexpr std::size_t kAskedAtOnce = 50;
constexpr std::int64_t kAskedPerRestMs = 4;
constexpr Millis kRestMost = seconds(1);
constexpr Millis kCompactEvery = seconds(60);
constexpr std::size_t kHistoryMarks = 1024;

Millis rest_after(std::size_t asked) {
    const auto beyond = static_cast<std::int64_t>(asked - std::min(asked, kAskedAtOnce));
    return std::min(kRestMost, Millis{beyond / kAskedPerRestMs});
}

}  // namespace

Controller::Controller(Deps deps, ControllerSettings settings)
    : deps_(deps),
      settings_(std::move(settings)),
      election_(deps.store, deps.view, deps.executor, deps.clock, deps.log, deps.lease,
                settings_.node, settings_.run_uid),
      inventory_(deps.log),
      liveness_(settings_.lease_ttl) {}

Controller::~Controller() { stop(); }

void Controller::stop() { alive_.reset(); }

void Controller::listen() {
    note_leases(*deps_.view.current());
    deps_.view.subscribe(
        [this, weak = std::weak_ptr(alive_)](const std::shared_ptr<const view::Update>& update) {
            if (!weak.expired()) on_update(*update);
        });
}

void Controller::start() {
    listen();
    compact_later();
    wake();
}

void Controller::note_leases(const view::Snapshot& state) {
    state.nodes.for_each(
        [&](const std::shared_ptr<const view::NodeEntry>& node) { liveness_.note(*node); });
}

std::optional<ControllerState> Controller::state() const {
    if (woken_ || timer_ == 0 || !busy_.empty() || !proposals_.empty() || !in_doubt_.empty())
        return std::nullopt;
    return ControllerState{.in_office = in_office_,
                           .tick = timer_,
                           .compact = compact_timer_,
                           .sights = liveness_.sights(),
                           .seen_lost = seen_lost_,
                           .dirty_vms = dirty_vms_,
                           .dirty_nodes = dirty_nodes_,
                           .pending_since = {pending_since_.begin(), pending_since_.end()},
                           .pending_told = {pending_told_.begin(), pending_told_.end()},
                           .rounds = rounds_,
                           .drains_looked_at = drains_looked_at_,
                           .round_at = round_at_,
                           .vms_per_commit = vms_per_commit_,
                           .history = history_};
}

void Controller::resume(ControllerState state) {
    listen();
    in_office_ = state.in_office;
    term_ = election_.proof() == in_office_ ? election_.term() : 0;
    liveness_.resume(std::move(state.sights));
    seen_lost_ = std::move(state.seen_lost);
    dirty_vms_ = std::move(state.dirty_vms);
    dirty_nodes_ = std::move(state.dirty_nodes);
    pending_since_ = {state.pending_since.begin(), state.pending_since.end()};
    pending_told_ = {state.pending_told.begin(), state.pending_told.end()};
    rounds_ = state.rounds;
    drains_looked_at_ = std::move(state.drains_looked_at);
    round_at_ = state.round_at;
    vms_per_commit_ = state.vms_per_commit;
    history_ = std::move(state.history);
    wake_later(Millis{0});
    compact_later();
}

void Controller::begin_anew() {
    everything_dirty_ = true;
    room_changed_ = true;
    passed_over_.clear();
    reasons_looked_at_.clear();
    ask_at_.clear();
    asked_next_.clear();
    reservations_due_ = drains_due_ = true;
    next_round_from_ = {};
    queue_.clear();
    reservations_.clear();
}

void Controller::on_update(const view::Update& update) {
    if (update.reloaded) {
        everything_dirty_ = true;
        note_leases(*update.snapshot);
    }
    for (const view::Changed& change : update.changes) {
        switch (change.kind) {
            case model::RecordKind::kVmSpec:
            case model::RecordKind::kVmPlacement: drains_due_ = true; [[fallthrough]];
            case model::RecordKind::kVmStatus:
                if (in_office_ != 0) dirty_vms_.insert(change.project + "/" + change.name);
                break;
            case model::RecordKind::kNodeLease:
                if (const view::NodeEntry* node = update.snapshot->nodes.find(change.name))
                    liveness_.note(*node);
                else
                    liveness_.forget(change.name);
                [[fallthrough]];
            case model::RecordKind::kNodeSpec:
            case model::RecordKind::kNodeStatus:
                drains_due_ = true;
                if (in_office_ != 0) dirty_nodes_.insert(change.name);
                break;
            case model::RecordKind::kVolumeStatus:
            case model::RecordKind::kVolumeSpec:
                drains_due_ = true;
                if (in_office_ != 0)
                    update.snapshot->for_each_vm_using(
                        view::volume_use(change.project, change.name),
                        [&](const view::VmEntry& vm) { dirty_vms_.insert(vm.key); });
                break;
            case model::RecordKind::kOperation: drains_due_ = true; break;
            case model::RecordKind::kProject:
                room_changed_ = true;
                if (in_office_ != 0) dirty_projects_.insert(change.name);
                break;
            default: break;
        }
    }
    // As long as another is elected there is nothing to do.
    const bool others_turn =
        in_office_ == 0 && !update.snapshot->election.key.empty() && election_.proof() == 0;
    if (!others_turn) wake();
}

void Controller::wake() {
    if (woken_) return;
    woken_ = true;
    deps_.executor.post([this, weak = std::weak_ptr(alive_)] {
        if (weak.expired()) return;
        woken_ = false;
        tick();
    });
}

void Controller::tick() {
    election_.look();
    const store::Revision proof = election_.proof();
    const bool goes_on = in_office_ != 0 && proof != 0 && election_.term() == term_;
    if (goes_on) {
        in_office_ = proof;  // renewed, perhaps
    } else if (proof != in_office_) {
        leave_office();
        if (proof != 0) take_office(proof);
    }
    Millis next = kLookEvery;
    if (in_office_ != 0) {
        look_at_hosts();
        std::set<std::string> dirty;
        dirty.swap(dirty_vms_);
        // All are counted as they are before anything is decided about the first of them.
        for (const std::string& vm : dirty) recount(vm);
        for (const std::string& vm : dirty) look_at_vm(vm);
        place_pending();
        look_at_operations();
        flush();
        const MonoTime now = deps_.clock.mono();
        if (round_at_) next = std::min(next, std::max(Millis{1}, *round_at_ - now));
        if (!asked_next_.empty())
            next = std::min(next, std::max(Millis{1}, asked_next_.begin()->first - now));
        for (const std::string& node : liveness_.gone())
            if (const auto at = liveness_.lost_at(node, now)) next = std::min(next, *at - now);
    }
    deps_.executor.cancel(timer_);
    wake_later(next);
}

void Controller::wake_later(Millis delay) {
    timer_ = deps_.executor.after(delay, [this, weak = std::weak_ptr(alive_)] {
        if (!weak.expired()) wake();
    });
}

void Controller::take_office(store::Revision proof) {
    in_office_ = proof;
    term_ = election_.term();
    everything_dirty_ = true;
    deps_.log.info("in office", {{"node", settings_.node}, {"proof", proof}});
}

void Controller::leave_office() {
    if (in_office_ != 0) deps_.log.info("out of office", {{"node", settings_.node}});
    in_office_ = 0;
    pending_since_.clear();
    queue_.clear();
    reservations_.clear();
    proposals_.clear();
    passed_over_.clear();
    reasons_looked_at_.clear();
    ask_at_.clear();
    asked_next_.clear();
    liveness_.clear();
    seen_lost_.clear();
    dirty_vms_.clear();
    dirty_nodes_.clear();
    dirty_projects_.clear();
}

// ---- looking ----

void Controller::look_at_hosts() {
    const view::SnapshotPtr state = deps_.view.current();
    const MonoTime now = deps_.clock.mono();
    for (const std::string& project : std::exchange(dirty_projects_, {}))
        take_strategy(*state, project, settings_.policy, policy_);
    if (everything_dirty_) {
        everything_dirty_ = false;
        policy_ = policy_of(*state, settings_.policy);
        std::map<std::string, scheduler::HostState> states;
        state->nodes.for_each([&](const std::shared_ptr<const view::NodeEntry>& node) {
            liveness_.look(*state, node->key, now, deps_.clock.wall());
            states[node->key] = state_of(*node);
        });
        inventory_.rebuild(*state, states, busy_);
        state->vms.for_each(
            [&](const std::shared_ptr<const view::VmEntry>& vm) { dirty_vms_.insert(vm->key); });
        dirty_nodes_.clear();
        room_changed_ = true;
        reservations_due_ = drains_due_ = true;
    }
    std::set<std::string> dirty;
    dirty.swap(dirty_nodes_);
    for (const std::string& name : dirty) {
        liveness_.look(*state, name, now, deps_.clock.wall());
        const view::NodeEntry* node = state->nodes.find(name);
        inventory_.refresh_node(*state, name, node ? state_of(*node) : scheduler::HostState::kLost,
                                busy_);
        state->for_each_vm_on(name, [&](const view::VmEntry& vm) {
            dirty_vms_.insert(vm.key);
            return true;
        });
        room_changed_ = true;
        reservations_due_ = true;
    }
    // Hosts whose margin has passed: their VMs are looked at once more.
    std::erase_if(seen_lost_, [&](const std::string& node) { return !liveness_.lost(node, now); });
    for (const std::string& node : liveness_.gone()) {
        if (!liveness_.lost(node, now) || !seen_lost_.insert(node).second) continue;
        state->for_each_vm_on(node, [&](const view::VmEntry& vm) {
            dirty_vms_.insert(vm.key);
            return true;
        });
    }
}

// Nothing is placed on a host while its VMs are being failed over: if that is refused because the
// host is back, they hold its room as before.
scheduler::HostState Controller::state_of(const view::NodeEntry& node) const {
    return in_doubt_.contains(node.key) && !mutant(MutantId::kDoubtIgnored)
               ? scheduler::HostState::kLost
               : liveness_.state_of(node);
}

HostView Controller::host_view(std::string_view name) const {
    const view::SnapshotPtr state = deps_.view.current();
    const view::NodeEntry* node = state->nodes.find(name);
    if (!node) return {};
    HostView host;
    host.exists = true;
    host.lost = !node->lease && liveness_.lost(node->key, deps_.clock.mono());
    host.vouched = host.lost && node->spec && !node->spec->value.lost_at.empty();
    host.draining = node->spec && node->spec->value.draining;
    return host;
}

bool Controller::pinned(const view::VmEntry& vm) const {
    if (!vm.record || vm.node().empty()) return false;
    const auto request = request_of(vm, *deps_.view.current());
    return std::any_of(request->volume_pins.begin(), request->volume_pins.end(),
                       [&](const scheduler::VolumePin& pin) { return pin.host == vm.node(); });
}

void Controller::recount(const std::string& vm) {
    if (busy_.contains(vm)) return;
    const auto before = inventory_.request_of(vm);
    inventory_.refresh_vm(*deps_.view.current(), vm);
    const auto after = inventory_.request_of(vm);
    if (after && !before)
        for (const auto& follower : queue_.followers_of(*after)) queue_.ask_again(follower->vm);
    // It has left, or wants less, or minds others less than it did.
    const bool gave_way = before && (!after || !scheduler::wants_the_same(*before, *after));
    if (gave_way && !mutant(MutantId::kRoomUnnoticed)) room_changed_ = true;
    if (gave_way || (after && !before)) reservations_due_ = true;
}

void Controller::look_at_vm(const std::string& vm) {
    if (busy_.contains(vm)) return;  // looked at again when the answer is there
    const view::SnapshotPtr state = deps_.view.current();
    const view::VmEntry* entry = state->vms.find(vm);
    if (entry && entry->not_understood != 0) {
        // A newer version's: left to it. What is known of it holds its room.
        forget_waiting(vm);
        return;
    }
    const HostView host = entry ? host_view(entry->node()) : HostView{};
    const bool host_is_gone = !host.exists || host.lost;  // else nobody asks where its disks are
    const Need need =
        entry ? need_of(*entry, host, host_is_gone && pinned(*entry)) : Need::kNothing;
    const bool is_leaving = entry && !entry->node().empty() && entry->placement->value.release;
    const bool was_held = !is_leaving && inventory_.drop_hold(vm);
    if (was_held && need != Need::kPlace) room_changed_ = true;
    if (was_held && need == Need::kPlace && place_held(*entry)) return;
    if (need == Need::kPlace) {
        auto request = request_of(*entry, *state);
        const auto [since, is_new] = pending_since_.try_emplace(vm, deps_.clock.mono());
        const bool had_place = entry->placement && entry->placement->value.epoch > 0;
        if (is_new && !had_place && entry->record->create_revision > inventory_.learnt())
            inventory_.cluster().observe(*request);
        queue_.put(std::move(request), since->second);
        reservations_due_ = true;
    } else {
        forget_waiting(vm);
    }
    if (!entry) return;
    switch (need) {
        case Need::kNothing:
        case Need::kPlace: return;
        case Need::kClear: return propose_clear(*entry);
        case Need::kDrain: return drain_vm(*entry);
        case Need::kFailOver: return fail_over(*entry);
        case Need::kDelete: return propose_delete(*entry);
    }
}

// ---- placing ----

// One round after the other asks every waiting VM once, as long as room comes free.
void Controller::place_pending() {
    const MonoTime now = deps_.clock.mono();
    if (round_at_ && *round_at_ <= now) {
        round_at_.reset();
        room_changed_ = true;
    }
    ask_who_is_due(now);
    const view::SnapshotPtr state = deps_.view.current();
    scheduler::Cluster& cluster = inventory_.cluster();
    cluster.set_revision(state->revision);
    if (reservations_due_ || !reservations_.all_wait(queue_)) refresh_reservations();
    scheduler::Batch batch(cluster, queue_, reservations_, policy_, now);
    for (std::size_t decided = 0;
         decided < kDecisionsPerTick && deps_.clock.mono() - now < kDecidingPerTick;) {
        if (!queue_.next()) {
            if (!room_changed_) return;
            if (now < next_round_from_) return round_at(next_round_from_);
            room_changed_ = false;
            queue_.new_round();
            next_round_from_ = now + rest_after(queue_.size());
            ++rounds_;
            drains_due_ = true;
            refresh_reservations();
            if (!queue_.next()) return;
        }
        if (place_next(batch, *state)) ++decided;
    }
    wake();
}

// True if a decision was made.
bool Controller::place_next(scheduler::Batch& batch, const view::Snapshot& state) {
    const auto waiting = queue_.next();
    const view::VmEntry* vm = state.vms.find(waiting->vm);
    if (!vm || !vm->record) {
        queue_.remove(waiting->vm);  // there is an update about it on the way
        return false;
    }
    if (busy_.contains(waiting->vm) || waits_for_others(*vm)) {
        queue_.pass_over();
        passed_over_.insert(waiting->vm);
        return false;
    }
    // Volumes may have been made or have gone since it was put there.
    const auto request = request_of(*vm, state);
    if (!(*request == *waiting)) {
        queue_.put(request, *queue_.waits_since(waiting->vm));
        return false;
    }
    const scheduler::Decision decision = batch.decide(
        reason_is_due(vm->key) ? scheduler::Remedies::kFound : scheduler::Remedies::kLeftOut);
    switch (decision.outcome) {
        case scheduler::Outcome::kPlaced:
            has_come(*request);
            propose_place(*vm, decision);
            break;
        case scheduler::Outcome::kPreempts: propose_evictions(*vm, decision); break;
        case scheduler::Outcome::kPending:
        case scheduler::Outcome::kRefused: propose_pending(*vm, decision); break;
    }
    return true;
}

// It was told to leave its host, and room was kept for it: it does not queue up. False: it fits
// nowhere all the same.
bool Controller::place_held(const view::VmEntry& vm) {
    if (waits_for_others(vm)) return false;
    const view::SnapshotPtr state = deps_.view.current();
    const auto request = request_of(vm, *state);
    inventory_.cluster().set_revision(state->revision);
    const scheduler::Decision decision = scheduler::place(inventory_.cluster(), *request, policy_);
    if (decision.outcome != scheduler::Outcome::kPlaced) return false;
    inventory_.count(request, decision.host, decision.assignment);
    has_come(*request);
    propose_place(vm, decision);
    return true;
}

void Controller::refresh_reservations() {
    reservations_due_ = false;
    if (reservations_.refresh(inventory_.cluster(), queue_, policy_)) room_changed_ = true;
}

// Who must be with it is asked again when its place is written.
void Controller::has_come(const scheduler::Request& placed) {
    for (const auto& follower : queue_.followers_of(placed)) passed_over_.insert(follower->vm);
    reservations_due_ = true;
}

// A round is due then, whatever happens until then.
void Controller::round_at(MonoTime due) { round_at_ = round_at_ ? std::min(*round_at_, due) : due; }

// One of those who wait is asked again then, whatever happens until then.
void Controller::ask_at(const std::string& vm, MonoTime due) {
    const auto [known, is_new] = ask_at_.try_emplace(vm, due);
    if (!is_new) {
        if (known->second <= due) return;
        asked_next_.erase({known->second, vm});
        known->second = due;
    }
    asked_next_.emplace(due, vm);
}

void Controller::ask_who_is_due(MonoTime now) {
    while (!asked_next_.empty() && asked_next_.begin()->first <= now) {
        const std::string vm = asked_next_.begin()->second;
        asked_next_.erase(asked_next_.begin());
        ask_at_.erase(vm);
        queue_.ask_again(vm);
    }
}

// It does not wait any more.
void Controller::forget_waiting(const std::string& vm) {
    pending_since_.erase(vm);
    pending_told_.erase(vm);
    reasons_looked_at_.erase(vm);
    queue_.remove(vm);
    const auto next = ask_at_.find(vm);
    if (next == ask_at_.end()) return;
    asked_next_.erase({next->second, vm});
    ask_at_.erase(next);
}

void Controller::compare_vm(const view::VmEntry& vm, store::Transaction& transaction) const {
    if (mutant(MutantId::kStaleView)) return;
    transaction.compares.push_back(
        {model::vm_key(vm.project(), vm.name(), "spec"), vm.record ? vm.record->mod_revision : 0});
    transaction.compares.push_back({model::vm_key(vm.project(), vm.name(), "placement"),
                                    vm.placement ? vm.placement->mod_revision : 0});
}

void Controller::compare_host(std::string_view name, store::Transaction& transaction) const {
    if (mutant(MutantId::kHostUncompared)) return;
    const view::NodeEntry* node = deps_.view.current()->nodes.find(name);
    transaction.compares.push_back(
        {model::node_key(name, "lease"), node && node->lease ? node->lease->mod_revision : 0});
    transaction.compares.push_back(
        {model::node_key(name, "spec"), node && node->spec ? node->spec->mod_revision : 0});
}

// Those that it must be with are there still when it is placed.
void Controller::compare_company(const view::VmEntry& vm, std::string_view node,
                                 store::Transaction& transaction) const {
    for (const view::VmEntry* partner : company_on(*deps_.view.current(), vm, node))
        transaction.compares.push_back(
            {model::vm_key(partner->project(), partner->name(), "placement"),
             partner->placement->mod_revision});
}

// Where they will be is being written: it may be refused.
bool Controller::waits_for_company(const view::VmEntry& vm) const {
    if (!needs_company(vm) || mutant(MutantId::kCompanyUncommitted)) return false;
    const view::SnapshotPtr state = deps_.view.current();
    return std::any_of(busy_.begin(), busy_.end(), [&](const std::string& name) {
        const view::VmEntry* other = state->vms.find(name);
        return other && must_be_with(vm, *other);
    });
}

// One that it must keep away from is on its way from a lost host, and may yet stay there.
bool Controller::waits_for_a_move(const view::VmEntry& vm) const {
    const view::SnapshotPtr state = deps_.view.current();
    return std::any_of(in_doubt_.begin(), in_doubt_.end(), [&](const auto& host) {
        bool waits = false;
        state->for_each_vm_on(host.first, [&](const view::VmEntry& other) {
            waits = busy_.contains(other.key) && keep_apart(vm, other);
            return !waits;
        });
        return waits;
    });
}

bool Controller::waits_for_others(const view::VmEntry& vm) const {
    return waits_for_company(vm) || waits_for_a_move(vm);
}

store::Put Controller::placement_put(const view::VmEntry& vm,
                                     const model::Placement& placement) const {
    return {.key = model::vm_key(vm.project(), vm.name(), "placement"),
            .value = model::to_json(placement)};
}

void Controller::propose_place(const view::VmEntry& vm, const scheduler::Decision& decision) {
    model::Placement placement = vm.placement ? vm.placement->value : model::Placement{};
    placement.uid = vm.record->value.uid;
    placement.node = decision.host;
    if (!mutant(MutantId::kEpochNotRaised)) placement.epoch += 1;
    placement.release = mutant(MutantId::kReleaseKept);
    placement.numa_nodes.assign(decision.assignment.numa_nodes.begin(),
                                decision.assignment.numa_nodes.end());
    placement.gpus.assign(decision.assignment.gpus.begin(), decision.assignment.gpus.end());
    placement.decided_at = to_rfc3339(deps_.clock.wall());
    placement.reason = "scheduled";
    placement.decision = decision_json(decision);
    if (mutant(MutantId::kDecisionUncounted)) inventory_.uncount(vm.key);
    ++counters_.placed;
    Proposal proposal{.about = {vm.key}};
    compare_vm(vm, proposal.transaction);
    compare_host(decision.host, proposal.transaction);
    compare_company(vm, decision.host, proposal.transaction);
    proposal.transaction.puts.push_back(placement_put(vm, placement));
    propose(std::move(proposal));
}

bool Controller::reason_is_due(const std::string& vm) const {
    const auto looked_at = reasons_looked_at_.find(vm);
    return looked_at == reasons_looked_at_.end() ||
           deps_.clock.mono() - looked_at->second >= kReasonLookedAtEvery;
}

void Controller::propose_pending(const view::VmEntry& vm, const scheduler::Decision& decision) {
    ++counters_.pending_decisions;
    const MonoTime now = deps_.clock.mono();
    if (const auto since = pending_since_.find(vm.key); since != pending_since_.end()) {
        const MonoTime reserves_at = since->second + policy_.reserve_after;
        if (reserves_at > now) ask_at(vm.key, reserves_at);
    }
    if (!reason_is_due(vm.key))
        return ask_at(vm.key, reasons_looked_at_[vm.key] + kReasonLookedAtEvery);
    reasons_looked_at_[vm.key] = now;
    model::Placement placement = vm.placement ? vm.placement->value : model::Placement{};
    const std::string reason = scheduler::summary(decision);
    const bool same = placement.reason == reason ||
                      (mutant(MutantId::kReasonStale) && placement.reason.starts_with("fits"));
    if (vm.placement && same && placement.node.empty()) return;
    const auto told = pending_told_.find(vm.key);
    if (told != pending_told_.end() && now - told->second < kTellPendingEvery)
        return ask_at(vm.key, told->second + kTellPendingEvery);
    pending_told_[vm.key] = now;
    placement.uid = vm.record->value.uid;
    placement.node.clear();
    placement.release = false;
    placement.decided_at = to_rfc3339(deps_.clock.wall());
    placement.reason = reason;
    placement.decision = decision_json(decision);
    Proposal proposal{.about = {vm.key}};
    compare_vm(vm, proposal.transaction);
    proposal.transaction.puts.push_back(placement_put(vm, placement));
    propose(std::move(proposal));
}

// One transaction: all victims are released, or none.
void Controller::propose_evictions(const view::VmEntry& vm, const scheduler::Decision& decision) {
    const view::SnapshotPtr state = deps_.view.current();
    Proposal proposal{.about = {vm.key}};
    compare_vm(vm, proposal.transaction);
    compare_host(decision.host, proposal.transaction);
    for (const std::string& name : decision.evictions) {
        const view::VmEntry* victim = state->vms.find(name);
        if (!victim || !victim->placement || victim->placement->value.release) continue;
        if (busy_.contains(name))  // decided anew when the answer about it is there
            return ask_at(vm.key, deps_.clock.mono() + kAskAgain);
        ++counters_.evictions;
        proposal.about.push_back(name);
        compare_vm(*victim, proposal.transaction);
        model::Placement placement = victim->placement->value;
        placement.release = true;
        placement.reason =
            fmt::format("preempted by {} (priority {})", vm.key, vm.record->value.spec.priority);
        proposal.transaction.puts.push_back(placement_put(*victim, placement));
    }
    if (!proposal.transaction.empty()) propose(std::move(proposal));
}

// The elected host forgets history that nobody resumes from any more.
void Controller::compact_later() {
    compact_timer_ = deps_.executor.after(kCompactEvery, [this, weak = std::weak_ptr(alive_)] {
        if (weak.expired()) return;
        const MonoTime now = deps_.clock.mono();
        history_.emplace_back(now, deps_.view.current()->revision);
        if (history_.size() > kHistoryMarks) history_.erase(history_.begin());
        store::Revision old = 0;
        while (!history_.empty() && now - history_.front().first >= settings_.keep_history) {
            old = history_.front().second;
            history_.erase(history_.begin());
        }
        if (old > 0 && in_office_ != 0)
            deps_.store.compact(old, [](const Result<store::Revision>&) {});
        compact_later();
    });
}

}  // namespace blixard::controller
