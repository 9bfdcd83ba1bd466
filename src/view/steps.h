// Many views in one process that all see the same store (a simulation of many hosts) take the same
// steps from one state to the next. Here each is made once, and the states are shared.
//
// It hides nothing: a step is taken over only by a view that stands at that very state and has been
// told the same changes; and states that came about in different ways become one only if they are
// equal in all that they hold.
//
// Threads: one, that of all its views.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <unordered_map>

#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::view {

struct Update;

class Steps {
 public:
    // The step that was made from `from` by these changes; null where none is known.
    std::shared_ptr<const Update> find(const SnapshotPtr& from,
                                       const store::WatchBatch& batch) const;
    // A state that a view has come to by itself. Gives the one to stand at: this, or the equal one
    // that others stand at. `compared_at` is the view's: states that differ are not compared at
    // every step.
    SnapshotPtr settle(const SnapshotPtr& state, Revision& compared_at);
    // The step that led there.
    void add(const SnapshotPtr& from, std::shared_ptr<const Update> update);

 private:
    struct Step {
        SnapshotPtr from;
        std::shared_ptr<const Update> update;
    };
    std::deque<Step> steps_;  // the last kStepsKept
    std::unordered_multimap<const Snapshot*, std::shared_ptr<const Update>> by_state_;
    std::map<Revision, SnapshotPtr> states_;  // the first at each revision
};

// Equal in all that they hold, by content.
bool same_state(const Snapshot& a, const Snapshot& b);

}  // namespace blixard::view
