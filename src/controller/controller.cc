#include "controller/controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "controller/translate.h"
#include "model/documents.h"

namespace blixard::controller {
namespace {

constexpr Millis kCompactEvery = seconds(60);
constexpr std::size_t kHistoryMarks = 1024;

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

std::vector<std::pair<std::string, std::string>> Controller::reserved() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (const scheduler::Reservation& one : reservations_.held())
        all.emplace_back(one.vm, one.host);
    return all;
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
                           .reservations = reserved(),
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
    std::vector<scheduler::Reservation> held;
    for (auto& [vm, host] : state.reservations) held.push_back({std::move(vm), std::move(host)});
    reservations_.resume(std::move(held));
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
    reviews_.clear();
    asked_next_.clear();
    reservations_due_ = drains_due_ = true;
    next_round_from_ = {};
    queue_.clear();
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
                // Each that there was: one may have come and gone in one update.
                if (!update.snapshot->nodes.find(change.name))
                    liveness_.forget(change.name);
                else if (const auto held =
                             model::parse_node_lease(change.value, model::Mode::kLenient);
                         held && !change.deleted)
                    liveness_.note(change.name, *held);
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
    Millis next = settings_.look_every;
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
    ahead_.clear();
    reasons_looked_at_.clear();
    reviews_.clear();
    asked_next_.clear();
    liveness_.clear();
    seen_lost_.clear();
    dirty_vms_.clear();
    dirty_nodes_.clear();
    dirty_projects_.clear();
}

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
        keep_room_for_who_waits(*state);
        if (!mutant(MutantId::kLeaversForgotten)) keep_room_for_who_leaves(*state);
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

VolumesAt Controller::volumes_at(const view::VmEntry& vm) const {
    VolumesAt at;
    if (!vm.record || vm.node().empty()) return at;
    const view::SnapshotPtr state = deps_.view.current();
    const auto request = request_of(vm, *state);
    for (const scheduler::VolumePin& pin : request->volume_pins) {
        if (pin.host == vm.node())
            at.its_host = true;
        else if (state->nodes.find(pin.host))
            at.elsewhere = fmt::format("volume {} is on host {}", pin.volume, pin.host);
    }
    return at;
}

// Whose turn is later finds the hosts that are kept free so, also where the picture has just been
// made anew and nobody has queued up yet.
void Controller::keep_room_for_who_waits(const view::Snapshot& state) {
    for (const scheduler::Reservation& one : reservations_.held()) {
        const view::VmEntry* vm = state.vms.find(one.vm);
        if (vm && vm->record && vm->node().empty())
            inventory_.cluster().reserve(one.host, *request_of(*vm, state));
    }
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
    const bool asks_for_disks =
        entry && (!host.exists || host.lost || entry->phase == model::Phase::kFailed);
    const VolumesAt volumes = asks_for_disks ? volumes_at(*entry) : VolumesAt{};
    const Need need = entry ? need_of(*entry, host, volumes) : Need::kNothing;
    const bool is_leaving = entry && !entry->node().empty() && entry->placement->value.release;
    const bool was_held = !is_leaving && !mutant(MutantId::kHoldKept) && inventory_.drop_hold(vm);
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
        case Need::kFollow: return propose_release(*entry, volumes.elsewhere);
        case Need::kDelete: return propose_delete(*entry);
    }
}

// The elected host forgets history that nobody resumes from any more.
void Controller::compact_later() {
    compact_timer_ = deps_.executor.after(kCompactEvery, [this, weak = std::weak_ptr(alive_)] {
        if (weak.expired()) return;
        const MonoTime now = deps_.clock.mono();
        history_.emplace_back(now, deps_.view.current()->revision);
        if (history_.size() > kHistoryMarks) history_.erase(history_.begin());
        store::Revision old = 0;
        const Millis keep = mutant(MutantId::kHistoryShort) ? Millis{0} : settings_.keep_history;
        while (!history_.empty() && now - history_.front().first >= keep) {
            old = history_.front().second;
            history_.erase(history_.begin());
        }
        if (old > 0 && in_office_ != 0)
            deps_.store.compact(old, [](const Result<store::Revision>&) {});
        compact_later();
    });
}

}  // namespace blixard::controller
