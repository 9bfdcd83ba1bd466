#include "view/steps.h"

#include <algorithm>

#include "view/view.h"

namespace blixard::view {
namespace {

constexpr std::size_t kStepsKept = 2048;  // a view that lags further behind makes its own

// Revisions until a view that was found to differ is compared again: that looks at everything.
constexpr Revision kComparedEvery = 64;

bool made_of(const Update& update, const store::WatchBatch& batch) {
    return update.snapshot->revision == batch.revision &&
           std::ranges::equal(
               update.changes, batch.changes, [](const Changed& made, const store::Change& told) {
                   return made.revision == told.item.mod_revision && made.deleted == told.deleted &&
                          made.key == told.item.key && made.value == told.item.value;
               });
}

template <class T>
bool same_part(const PartPtr<T>& a, const PartPtr<T>& b) {
    if (a == b) return true;
    return a && b && a->mod_revision == b->mod_revision &&
           a->create_revision == b->create_revision && a->bytes == b->bytes;
}

bool same(const VmEntry& a, const VmEntry& b) {
    return a.key == b.key && a.revision == b.revision && a.phase == b.phase &&
           a.not_understood == b.not_understood && a.document == b.document &&
           same_part(a.record, b.record) && same_part(a.placement, b.placement) &&
           same_part(a.status, b.status);
}
bool same(const NodeEntry& a, const NodeEntry& b) {
    return a.key == b.key && a.revision == b.revision &&
           a.lease_gone_revision == b.lease_gone_revision && same_part(a.spec, b.spec) &&
           same_part(a.status, b.status) && same_part(a.lease, b.lease);
}
bool same(const VolumeEntry& a, const VolumeEntry& b) {
    return a.key == b.key && a.revision == b.revision && same_part(a.record, b.record) &&
           same_part(a.status, b.status);
}
bool same(const IndexedVm& a, const IndexedVm& b) {
    return a.key == b.key && a.what_size == b.what_size;
}
bool same(const UnreadKey& a, const UnreadKey& b) { return a.key == b.key; }
bool same(const ProjectUse& a, const ProjectUse& b) { return a == b; }
template <class T>
bool same(const SingleEntry<T>& a, const SingleEntry<T>& b) {
    return a.key == b.key && a.revision == b.revision && same_part(a.record, b.record);
}

template <class V>
bool same(const PersistentMap<V>& a, const PersistentMap<V>& b) {
    if (a.is_shared_with(b)) return true;
    if (a.size() != b.size()) return false;
    std::vector<const V*> entries;
    entries.reserve(a.size());
    a.for_each([&](const std::shared_ptr<const V>& entry) { entries.push_back(entry.get()); });
    bool equal = true;
    auto at = entries.begin();
    b.scan("", [&](const std::shared_ptr<const V>& entry) {
        equal = entry.get() == *at || same(**at, *entry);
        ++at;
        return equal;
    });
    return equal;
}

}  // namespace

bool same_state(const Snapshot& a, const Snapshot& b) {
    return a.revision == b.revision && a.election.mod_revision == b.election.mod_revision &&
           a.election.key == b.election.key && a.election.value == b.election.value &&
           a.election.create_revision == b.election.create_revision &&
           a.counts.vms == b.counts.vms &&
           std::ranges::equal(a.counts.by_phase, b.counts.by_phase) && same(a.nodes, b.nodes) &&
           same(a.images, b.images) && same(a.projects, b.projects) &&
           same(a.project_use, b.project_use) && same(a.operations, b.operations) &&
           same(a.failovers, b.failovers) && same(a.unread, b.unread) &&
           same(a.volumes, b.volumes) && same(a.vms_by_node, b.vms_by_node) &&
           same(a.vms_by_use, b.vms_by_use) && same(a.vms, b.vms);
}

std::shared_ptr<const Update> Steps::find(const SnapshotPtr& from,
                                          const store::WatchBatch& batch) const {
    const auto [begin, end] = by_state_.equal_range(from.get());
    for (auto step = begin; step != end; ++step)
        if (made_of(*step->second, batch)) return step->second;
    return nullptr;
}

SnapshotPtr Steps::settle(const SnapshotPtr& state, Revision& compared_at) {
    const SnapshotPtr& first = states_.try_emplace(state->revision, state).first->second;
    if (first == state || state->revision < compared_at + kComparedEvery) return state;
    const bool equal = same_state(*first, *state);
    compared_at = equal ? 0 : state->revision;
    return equal ? first : state;
}

void Steps::add(const SnapshotPtr& from, std::shared_ptr<const Update> update) {
    by_state_.emplace(from.get(), update);
    steps_.push_back({from, std::move(update)});
    if (steps_.size() <= kStepsKept) return;
    const Step& oldest = steps_.front();
    const auto [begin, end] = by_state_.equal_range(oldest.from.get());
    by_state_.erase(
        std::find_if(begin, end, [&](const auto& step) { return step.second == oldest.update; }));
    states_.erase(states_.begin(), states_.upper_bound(oldest.update->snapshot->revision));
    steps_.pop_front();
}

}  // namespace blixard::view
