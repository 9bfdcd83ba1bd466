// Places for those who wait: rounds, who is asked again alone, and what is proposed for each.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/mutant.h"
#include "controller/company.h"
#include "controller/controller.h"
#include "controller/translate.h"
#include "model/documents.h"
#include "model/keys.h"
#include "scheduler/place.h"

namespace blixard::controller {
namespace {

// A pending VM's changed reason is written no more often than that.
constexpr Millis kTellPendingEvery = seconds(30);
// What would help costs more to find than the refusal.
constexpr Millis kReasonLookedAtEvery = seconds(5);
constexpr Millis kAskAgain = seconds(1);  // a VM whose victims were busy
// A round asks one of those who want the same; what the others have been told may not be so any
// more. All are asked by themselves as often as that, but not more than so many a second.
constexpr Millis kReviewEvery = seconds(60);
constexpr std::int64_t kReviewsPerSecond = 50;
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

Millis rest_after(std::size_t asked) {
    const auto beyond = static_cast<std::int64_t>(asked - std::min(asked, kAskedAtOnce));
    return std::min(kRestMost, Millis{beyond / kAskedPerRestMs});
}

}  // namespace

// One round after the other asks every waiting VM once, as long as room comes free.
void Controller::place_pending() {
    const MonoTime now = deps_.clock.mono();
    if (round_at_ && *round_at_ <= now) {
        round_at_.reset();
        room_changed_ = true;
    }
    const view::SnapshotPtr state = deps_.view.current();
    scheduler::Cluster& cluster = inventory_.cluster();
    cluster.set_revision(state->revision);
    // Room has come free: whoever is due, or has just come, is asked in his turn, not before those
    // who wait for it.
    if (room_changed_ && now >= next_round_from_)
        begin_round(now);
    else if (room_changed_ && !queue_.next())
        return round_at(next_round_from_);
    ask_who_is_due(now);
    if (reservations_due_ || !reservations_.all_wait(queue_)) refresh_reservations();
    scheduler::Batch batch(cluster, queue_, reservations_, placer_, policy_, now);
    for (std::size_t decided = 0;
         decided < kDecisionsPerTick && deps_.clock.mono() - now < kDecidingPerTick;) {
        if (!queue_.next()) {
            if (!room_changed_) return;
            if (now < next_round_from_) return round_at(next_round_from_);
            begin_round(now);
            if (!queue_.next()) return;
        }
        if (place_next(batch, *state)) ++decided;
    }
    wake();
}

void Controller::begin_round(MonoTime now) {
    room_changed_ = false;
    queue_.new_round();
    next_round_from_ = now + rest_after(queue_.size());
    ++rounds_;
    drains_due_ = true;
    refresh_reservations();
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
    const scheduler::Decision& decision = batch.decide(
        reason_is_due(vm->key) ? scheduler::Remedies::kFound : scheduler::Remedies::kLeftOut);
    switch (decision.outcome) {
        case scheduler::Outcome::kPlaced:
            has_come(*request);
            propose_place(*vm, decision);
            break;
        case scheduler::Outcome::kPreempts:
            std::erase_if(ahead_, [this](const std::string& name) { return !is_ahead(name); });
            ahead_.insert(vm->key);
            propose_evictions(*vm, decision);
            break;
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
void Controller::ask_at(const std::string& vm, MonoTime due) { asked_next_.emplace(due, vm); }

void Controller::ask_who_is_due(MonoTime now) {
    while (!asked_next_.empty() && asked_next_.begin()->first <= now)
        queue_.ask_again(asked_next_.extract(asked_next_.begin()).value().second);
}

// It does not wait any more.
void Controller::forget_waiting(const std::string& vm) {
    pending_since_.erase(vm);
    pending_told_.erase(vm);
    reasons_looked_at_.erase(vm);
    reviews_.erase(vm);
    queue_.remove(vm);
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
    if (mutant(MutantId::kCompanyUncompared)) return;
    for (const view::VmEntry* partner : company_on(*deps_.view.current(), vm, node))
        transaction.compares.push_back(
            {model::vm_key(partner->project(), partner->name(), "placement"),
             partner->placement->mod_revision});
}

// Where they will be is being written, which may be refused; or they are counted where others make
// way for them, and may never come there.
bool Controller::waits_for_company(const view::VmEntry& vm) const {
    if (!needs_company(vm) || mutant(MutantId::kCompanyUncommitted)) return false;
    const view::SnapshotPtr state = deps_.view.current();
    const auto is_with = [&](const std::string& name) {
        const view::VmEntry* other = state->vms.find(name);
        return other && must_be_with(vm, *other);
    };
    return std::any_of(busy_.begin(), busy_.end(), is_with) ||
           std::any_of(ahead_.begin(), ahead_.end(),
                       [&](const std::string& name) { return is_with(name) && is_ahead(name); });
}

bool Controller::is_ahead(const std::string& vm) const {
    const view::VmEntry* entry = deps_.view.current()->vms.find(vm);
    return entry && entry->node().empty() && inventory_.request_of(vm);
}

// One that it must keep away from, or that a third VM's rule counts with it, is on its way from a
// lost host, and may yet stay there.
bool Controller::waits_for_a_move(const view::VmEntry& vm) const {
    if (in_doubt_.empty()) return false;
    const view::SnapshotPtr state = deps_.view.current();
    std::vector<const view::VmEntry*> owners;
    const scheduler::Cluster& cluster = inventory_.cluster();
    for (const scheduler::VmIndex owner : cluster.vms_that_may_forbid(*request_of(vm, *state)))
        if (const view::VmEntry* entry = state->vms.find(cluster.vm(owner).request->vm))
            owners.push_back(entry);
    const auto matters = [&](const view::VmEntry& other) {
        return keep_apart(vm, other) || std::ranges::any_of(owners, [&](const auto* owner) {
                   return counts_both(*owner, vm, other);
               });
    };
    return std::any_of(in_doubt_.begin(), in_doubt_.end(), [&](const auto& host) {
        bool waits = false;
        state->for_each_vm_on(host.first, [&](const view::VmEntry& other) {
            waits = busy_.contains(other.key) && matters(other);
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
    if (MonoTime& review = reviews_[vm.key]; review <= now) {
        const auto waiting = static_cast<std::int64_t>(queue_.size());
        review = now + std::max(kReviewEvery, Millis{waiting * 1000 / kReviewsPerSecond});
        ask_at(vm.key, review);
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
    if (!mutant(MutantId::kEvictionUncompared)) compare_host(decision.host, proposal.transaction);
    for (const std::string& name : decision.evictions) {
        const view::VmEntry* victim = state->vms.find(name);
        if (!victim || (victim->placement && victim->placement->value.release)) continue;
        if (busy_.contains(name))  // decided anew when the answer about it is there
            return ask_at(vm.key, deps_.clock.mono() + kAskAgain);
        // It waits, and is counted where others make way for it: that is over, it is told nothing,
        // and both are asked anew.
        if (victim->node().empty()) {
            inventory_.uncount(name);
            queue_.ask_again(name);
            queue_.ask_again(vm.key);
            return;
        }
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

}  // namespace blixard::controller
