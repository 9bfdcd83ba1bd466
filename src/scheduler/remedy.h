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

}  // namespace blixard::scheduler
