// Who has waited for long has a host kept free: what one controller says and does about that must
// follow from what its own view shows.
//
// Threads: one.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/vm.h"
#include "view/snapshot.h"

namespace blixard::sim {

// A placement that a controller writes.
struct DecidedPlace {
    const view::VmEntry* vm = nullptr;  // as it was seen
    model::Placement now;
};

// It wants a place and has none.
bool waits(const view::VmEntry& vm);
// Whose turn comes first.
bool goes_before(const view::VmEntry& a, const view::VmEntry& b);

class KeptRoom {
 public:
    // By a clock that may drift.
    explicit KeptRoom(Millis reserve_after);

    // What was seen of it under another election says nothing.
    // `together`: all that is decided in one transaction.
    void look_at_office(const std::vector<DecidedPlace>& together, const view::Snapshot& seen,
                        MonoTime now);
    // Asked of what is decided while nothing else is under way.
    std::optional<std::string> wrong_with(const DecidedPlace& decided, const view::Snapshot& seen,
                                          MonoTime now,
                                          const std::map<std::string, MonoTime>& without_place);

    // Somebody who comes before `vm` has waited for long, and could be there.
    bool may_be_kept(const view::NodeEntry& host, const view::VmEntry& vm,
                     const view::Snapshot& seen, MonoTime now,
                     const std::map<std::string, MonoTime>& without_place) const;

 private:
    std::optional<std::string> wrong_with_reason(
        const DecidedPlace& decided, const view::Snapshot& seen, MonoTime now,
        const std::map<std::string, MonoTime>& without_place);
    std::optional<std::string> wrong_with_place(
        const DecidedPlace& decided, const view::Snapshot& seen, MonoTime now,
        const std::map<std::string, MonoTime>& without_place);
    std::optional<std::string> wrong_with_giving(
        const view::VmEntry& vm, const view::NodeEntry& host, const view::Snapshot& seen,
        MonoTime now, const std::map<std::string, MonoTime>& without_place);

    // A host is kept for a VM, as others were told.
    struct Told {
        std::string vm;
        store::Revision spec = 0, host_spec = 0, host_lease = 0;
        MonoTime at{};
    };
    const Millis after_least_, after_most_;
    std::set<std::string> together_;  // who is given a place
    std::string term_;                // of the election
    // What one that waits wants, and since when it has been seen to want that.
    struct Wish {
        store::Revision spec = 0;
        MonoTime since{};
    };
    std::map<std::string, Wish> wishes_;
    MonoTime since_{};                  // in office
    std::map<std::string, Told> told_;  // by host
    // The hosts that later ones were given since, for all that some have waited for long; and who
    // they are, and where they could be.
    std::set<std::string> given_away_;
    std::string given_by_;
};

}  // namespace blixard::sim
