#include "controller/liveness.h"

#include "base/mutant.h"

namespace blixard::controller {

void Liveness::note(const view::NodeEntry& node) {
    if (node.lease) note(node.key, node.lease->value);
}

void Liveness::note(const std::string& node, const model::NodeLease& held) {
    noted_[node] = Sight{.lease = held.lease, .ttl = Millis{held.ttl_ms}};
    // Should this lease be gone, too, before anybody looks, its end counts, and no former one's.
    const auto seen = sights_.find(node);
    if (seen == sights_.end()) return;
    seen->second = noted_[node];
    gone_.erase(node);
}

void Liveness::look(const view::Snapshot& state, const std::string& node, MonoTime now,
                    WallTime wall) {
    const view::NodeEntry* entry = state.nodes.find(node);
    if (!entry) return forget(node);
    note(*entry);
    Sight& sight = sights_[node];
    if (entry->lease) {
        sight = noted_[node];
        gone_.erase(node);
        return;
    }
    gone_.insert(node);
    if (sight.gone_since) return;
    if (sight.lease == 0) sight = noted_[node];
    sight.gone_since = now;
    sight.gone_wall = wall;
    sight.gone_revision =
        entry->lease_gone_revision != 0 ? entry->lease_gone_revision : state.revision;
    if (sight.ttl.count == 0) sight.ttl = default_ttl_;
}

void Liveness::forget(const std::string& node) {
    sights_.erase(node);
    noted_.erase(node);
    gone_.erase(node);
}

void Liveness::clear() {
    sights_.clear();
    gone_.clear();
}

void Liveness::resume(std::map<std::string, Sight> sights) {
    sights_ = std::move(sights);
    gone_.clear();
    for (const auto& [node, sight] : sights_)
        if (sight.gone_since) gone_.insert(node);
}

std::optional<MonoTime> Liveness::lost_at(const std::string& node, MonoTime now) const {
    const Sight* seen = sight(node);
    if (!seen || !seen->gone_since) return std::nullopt;
    const MonoTime at = *seen->gone_since + drift_margin(seen->ttl);
    if (at <= now || mutant(MutantId::kMarginUnwatched)) return std::nullopt;
    return at;
}

bool Liveness::lost(const std::string& node, MonoTime now) const {
    const Sight* seen = sight(node);
    const bool wait = !mutant(MutantId::kMarginSkipped);
    return seen && seen->gone_since &&
           *seen->gone_since + (wait ? drift_margin(seen->ttl) : Millis{0}) <= now;
}

const Sight* Liveness::sight(const std::string& node) const {
    const auto found = sights_.find(node);
    return found == sights_.end() ? nullptr : &found->second;
}

scheduler::HostState Liveness::state_of(const view::NodeEntry& node) const {
    if (!node.lease || !node.status) return scheduler::HostState::kLost;
    if (node.spec && node.spec->value.draining) return scheduler::HostState::kDraining;
    if (node.spec && !node.spec->value.schedulable && !mutant(MutantId::kCordonIgnored))
        return scheduler::HostState::kCordoned;
    return scheduler::HostState::kReady;
}

}  // namespace blixard::controller
