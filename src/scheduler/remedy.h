// For a VM that fits nowhere: the smallest change of each kind after which it would. Every remedy
// has been tried out on the numbers before it is offered.
#pragma once

#include <vector>

#include "scheduler/decision.h"
#include "scheduler/filters.h"

namespace blixard::scheduler {

// At most one remedy of each kind, cheapest first: shrink, lift a cordon, evict, drop a
// requirement, raise the quota. If none helps: one that asks for a host.
std::vector<Remedy> find_remedies(const Cluster& cluster, const Filters& filters,
                                  const Policy& policy);

// The request without what `reason` speaks of: its labels, its features, its own affinity rules ...
// What no requirement of the request can be blamed for is left as it is.
Request without_requirement(const Request& request, Reason reason);

}  // namespace blixard::scheduler
