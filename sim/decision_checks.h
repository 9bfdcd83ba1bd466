// What a controller decides must follow from what its own view shows: who makes way for whom, and
// whose turn it is. Judged at the moment of the sending, and only where nothing else that it has
// decided is under way: so that no delay excuses it, and no guess is needed of what it knows.
//
// Threads: one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::sim {

struct WrongDecision {
    std::string what;
    // Once it may be so: who is asked alone at the moment when room comes free has it, though
    // another, who is asked in the round that begins then, would be first.
    bool by_chance = false;
};

// One daemon's: made with it, gone with it.
class DecisionChecks {
 public:
    // `answered`: it knows what has become of all that it has sent and `seen` shows. Absent: it
    // follows from `seen`, or nobody can tell.
    std::optional<WrongDecision> what_is_wrong_with(const store::Transaction& decided,
                                                    const view::Snapshot& seen, MonoTime now,
                                                    bool answered);

 private:
    struct Sent {
        MonoTime at{};
        store::Revision counted_on = 0;
    };
    void forget_what_is_seen(const view::Snapshot& seen, MonoTime now);

    std::map<std::string, Sent> under_way_;  // by VM: placements that `seen` does not show yet
};

}  // namespace blixard::sim
