// Which hosts may be taken for dead, and since when. Pure: what was seen and when are parameters.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/time.h"
#include "scheduler/host.h"
#include "view/snapshot.h"

namespace blixard::controller {

// After a lease key has gone, so long is waited before another host may run its VMs: for clocks
// that run at different speeds. The lost host has killed its fenced VMs an eighth of the TTL before
// the lease could end (agent::LeaseSettings::margin).
constexpr Millis drift_margin(Millis lease_ttl) { return lease_ttl / 16; }

struct Sight {
    std::optional<MonoTime> gone_since;  // when this controller first saw the host without a lease
    view::Revision gone_revision = 0;    // the revision of that sight
    WallTime gone_wall{};
    std::int64_t lease = 0;  // the last lease seen
    Millis ttl{};
};

// Remembers for each host when its lease was seen to go. Owned by the controller; forgotten with
// it, which only delays. What leases there were is remembered out of office too: a new controller
// mostly follows one whose host was lost, and has to prove that loss.
class Liveness {
 public:
    explicit Liveness(Millis default_ttl) : default_ttl_(default_ttl) {}

    // Which lease the host holds now, for when it will be gone. Also out of office.
    void note(const view::NodeEntry& node);
    void note(const std::string& node, const model::NodeLease& held);
    // Takes in the present state of one host.
    void look(const view::Snapshot& state, const std::string& node, MonoTime now, WallTime wall);
    void forget(const std::string& node);
    void clear();  // out of office

    // True once the host's VMs may be placed anew.
    bool lost(const std::string& node, MonoTime now) const;
    // When lost() will become true if nothing changes; absent for a host that lives or is lost
    // already.
    std::optional<MonoTime> lost_at(const std::string& node, MonoTime now) const;
    const Sight* sight(const std::string& node) const;
    // The hosts that have no lease.
    const std::set<std::string>& gone() const { return gone_; }
    const std::map<std::string, Sight>& sights() const { return sights_; }
    void resume(std::map<std::string, Sight> sights);

    scheduler::HostState state_of(const view::NodeEntry& node) const;

 private:
    Millis default_ttl_;
    std::map<std::string, Sight> sights_;
    std::map<std::string, Sight> noted_;  // the last lease of each host
    std::set<std::string> gone_;
};

}  // namespace blixard::controller
