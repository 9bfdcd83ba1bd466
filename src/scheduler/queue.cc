#include "scheduler/queue.h"

#include <algorithm>
#include <functional>

#include "base/assert.h"
#include "scheduler/order.h"
#include "scheduler/room.h"
#include "scheduler/rules.h"

namespace blixard::scheduler {

bool wants_the_same(const Request& a, const Request& b) {
    Request like = b;
    like.vm = a.vm;
    like.created = a.created;
    like.started = a.started;
    return a == like;
}

namespace {

bool follows_others(const Request& request) {
    return std::any_of(request.affinities.begin(), request.affinities.end(),
                       [](const Affinity& rule) { return rule.hard && !rule.anti; });
}

}  // namespace

bool Queue::ByTurn::operator()(const Pending& a, const Pending& b) const {
    return goes_before(*a, *b);
}

// Fewer members than wants_the_same() compares: what tells most VMs apart.
std::size_t Queue::WishHash::operator()(const Pending& request) const {
    auto hash = hash_of({static_cast<std::uint64_t>(request->need.cpu_milli),
                         static_cast<std::uint64_t>(request->need.memory_mib),
                         static_cast<std::uint64_t>(request->need.disk_mib),
                         static_cast<std::uint64_t>(request->priority),
                         static_cast<std::uint64_t>(request->gpu.count),
                         std::hash<std::string>{}(request->project)});
    auto mix = [&](const std::string& text) {
        hash = hash_of({hash, std::hash<std::string>{}(text)});
    };
    for (const auto& label : request->labels) mix(label.value);
    for (const auto& rule : request->affinities) mix(rule.target.vm);
    for (const auto& pin : request->volume_pins) mix(pin.volume);
    return hash;
}

void Queue::put(Pending request, MonoTime since) {
    if (auto known = entries_.find(request->vm); known != entries_.end()) {
        if (*known->second.request == *request) return;
        since = known->second.since;
        remove(request->vm);
    }
    auto& group = groups_.try_emplace(request).first->second;
    if (!group) group = std::make_unique<Group>();
    auto turn = delist(*group);
    freshen(*group);
    group->untold.insert(request);
    enlist(*group, std::move(turn));
    if (follows_others(*request)) followers_.insert(request);
    auto vm = request->vm;
    entries_.emplace(std::move(vm), Entry{std::move(request), group.get(), since});
}

void Queue::remove(std::string_view vm) {
    auto entry = entries_.find(vm);
    if (entry == entries_.end()) return;
    auto request = std::move(entry->second.request);
    auto& group = *entry->second.group;
    entries_.erase(entry);
    followers_.erase(request);
    auto turn = delist(group);
    for (auto* line : {&group.untold, &group.told, &group.done}) line->erase(request);
    if (group.empty())
        groups_.erase(request);
    else
        enlist(group, std::move(turn));
}

void Queue::clear() {
    entries_.clear();
    turns_.clear();
    asked_.clear();
    groups_.clear();
    followers_.clear();
}

std::optional<MonoTime> Queue::waits_since(std::string_view vm) const {
    auto entry = entries_.find(vm);
    if (entry == entries_.end()) return std::nullopt;
    return entry->second.since;
}

Queue::Pending Queue::find(std::string_view vm) const {
    auto entry = entries_.find(vm);
    return entry == entries_.end() ? nullptr : entry->second.request;
}

Queue::Pending Queue::next() const { return turns_.empty() ? nullptr : turns_.begin()->first; }

const Decision* Queue::known_answer() const {
    if (turns_.empty()) return nullptr;
    const auto& group = *turns_.begin()->second;
    return group.round == round_ && group.answer ? &*group.answer : nullptr;
}

void Queue::answered(const Decision& decision, bool for_all) {
    had_turn(for_all ? std::optional(decision) : std::nullopt);
}

void Queue::had_turn(const std::optional<Decision>& answer_for_all) {
    ASSERT(!turns_.empty());
    auto request = turns_.begin()->first;
    auto& group = *turns_.begin()->second;
    auto turn = delist(group);
    freshen(group);
    for (auto* line : {&group.untold, &group.told}) line->erase(request);
    group.done.insert(std::move(request));
    if (answer_for_all && (!group.answer || group.answer->without_remedies))
        group.answer = answer_for_all;
    enlist(group, std::move(turn));
}

void Queue::ask_again(std::string_view vm) {
    const auto entry = entries_.find(vm);
    if (entry == entries_.end()) return;
    Group& group = *entry->second.group;
    auto turn = delist(group);
    freshen(group);
    group.answer.reset();  // it may be another one now
    for (Line* line : {&group.told, &group.done}) line->erase(entry->second.request);
    group.untold.insert(entry->second.request);
    enlist(group, std::move(turn));
}

std::vector<Queue::Pending> Queue::followers_of(const Request& placed) const {
    std::vector<Pending> followers;
    for (const Pending& one : followers_) {
        const auto speaks_of_it = [&](const Affinity& rule) {
            return rule.hard && !rule.anti && matches(rule.target, placed);
        };
        if (one->vm != placed.vm && std::ranges::any_of(one->affinities, speaks_of_it))
            followers.push_back(one);
    }
    return followers;
}

void Queue::new_round() {
    ++round_;
    if (turns_.empty()) return turns_.swap(asked_);
    auto cut_short = std::move(turns_);
    turns_ = std::move(asked_);
    asked_.clear();
    for (auto& [first, group] : cut_short) {
        freshen(*group);
        enlist(*group, {});
    }
}

const Queue::Pending* Queue::first_of(std::initializer_list<const Line*> lines) {
    const Pending* first = nullptr;
    for (const auto* line : lines)
        if (!line->empty() && (!first || goes_before(**line->begin(), **first)))
            first = &*line->begin();
    return first;
}

const Queue::Pending* Queue::first_to_ask(const Group& group) const {
    if (group.round != round_) return first_of({&group.untold, &group.told, &group.done});
    return group.answer ? first_of({&group.untold}) : first_of({&group.untold, &group.told});
}

// What an earlier round left, undone.
void Queue::freshen(Group& group) {
    if (group.round == round_) return;
    group.round = round_;
    group.answer.reset();
    if (group.told.size() < group.done.size()) group.told.swap(group.done);
    group.told.merge(group.done);
}

void Queue::enlist(Group& group, Turns::node_type spare) {
    const auto* asks = first_to_ask(group);
    const auto* any = asks ? asks : first_of({&group.told, &group.done});
    if (!any) return;
    Turns& turns = asks ? turns_ : asked_;
    if (spare.empty()) {
        turns.emplace(*any, &group);
        return;
    }
    spare.key() = *any;
    turns.insert(std::move(spare));
}

Queue::Turns::node_type Queue::delist(Group& group) {
    Turns::node_type spare;
    if (const auto* first = first_to_ask(group)) spare = turns_.extract(*first);
    const auto* any = first_of({&group.untold, &group.told, &group.done});
    if (spare.empty() && any) spare = asked_.extract(*any);
    return spare;
}

}  // namespace blixard::scheduler
