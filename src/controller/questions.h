// Questions to the scheduler about the present state: why, why not, what if. Pure: the state is a
// parameter, nothing changes.
#pragma once

#include <string>

#include "base/result.h"
#include "model/plan_requests.h"
#include "scheduler/cluster.h"
#include "scheduler/policy.h"
#include "view/snapshot.h"

namespace blixard::controller {

// The scheduler's picture of a whole state, made anew: O(hosts + VMs).
scheduler::Cluster cluster_of(const view::Snapshot& state);

// A JSON document.
Result<std::string> answer(const model::Question& question, const view::Snapshot& state,
                           const scheduler::Policy& defaults);

}  // namespace blixard::controller
