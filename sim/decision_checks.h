// What a controller decides must follow from what its own view shows: who makes way for whom, and
// whose turn it is. Judged at the moment of the sending, and only where nothing else that it has
// decided is under way: so that no delay excuses it, and no guess is needed of what it knows.
//
// Threads: one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/kept_room.h"
#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::sim {

// One daemon's: made with it, gone with it.
class DecisionChecks {
 public:
    explicit DecisionChecks(Millis reserve_after) : kept_room_(reserve_after) {}

    // `answered`: it knows what has become of all that it has sent and `seen` shows. Absent: it
    // follows from `seen`, or nobody can tell.
    // `without_place`: by VM, since when it has had none.
    std::optional<std::string> what_is_wrong_with(
        const store::Transaction& decided, const view::Snapshot& seen, MonoTime now, bool answered,
        const std::map<std::string, MonoTime>& without_place);
    // It will not learn whether this has happened, or happens yet.
    void outcome_unknown(const store::Transaction& decided);

 private:
    struct Sent {
        MonoTime at{};
        store::Revision counted_on = 0;
    };
    void forget_what_is_seen(const view::Snapshot& seen, MonoTime now);

    bool nobody_was_ahead(const std::vector<DecidedPlace>& writes, const view::Snapshot& seen);

    std::optional<std::string> wrong_with_doubt(const store::Transaction& decided) const;

    KeptRoom kept_room_;
    std::map<std::string, store::Revision>
        in_doubt_;  // by placement key: the proof it was sent with
    std::set<std::string> ahead_;
    std::map<std::string, Sent> under_way_;  // by VM: placements that `seen` does not show yet
};

}  // namespace blixard::sim
