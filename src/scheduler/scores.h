// The nine strategies: how good is a place where the VM may lie? Higher is better. Formulas and
// sources: README.md.
#pragma once

#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/filters.h"
#include "scheduler/policy.h"

namespace blixard::scheduler {

class Scores {
 public:
    // Keeps references, as Filters does.
    Scores(const Cluster& cluster, const Filters& filters, const Policy& policy);

    // True if two hosts of one shape may still score differently.
    bool looks_at_hosts() const { return looks_at_hosts_; }

    // The part that hosts of one shape share, for the best of `takes` (which must not be empty).
    // `best` gets that take.
    double of_room(const HostSlot& host, const Takes& takes, Take& best) const;
    // The part that depends on where the host stands and what lies there. `parts` may be null.
    double of_host(HostIndex host, std::vector<ScorePart>* parts) const;
    // What of_room found, named and added to `parts`.
    void explain_room(const HostSlot& host, Take take, std::vector<ScorePart>& parts) const;

 private:
    double most_available(const HostSlot& host) const;
    double fragmentation(const HostSlot& host, Take take) const;
    double of_take(const HostSlot& host, Take take) const;
    void count_spread();

    const Cluster& cluster_;
    const Filters& filters_;
    const Policy& policy_;
    Strategy strategy_;
    bool looks_at_hosts_ = false;
    NameId spread_key_ = kNoName;
    std::vector<std::int32_t> spread_hosts_;  // by host index
    std::vector<std::pair<NameId, std::int32_t>> spread_domains_;
    std::int32_t spread_total_ = 0;
};

}  // namespace blixard::scheduler
