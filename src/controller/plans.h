// What-if questions as the API takes and answers them. Pure: on a copy of the state, nothing
// changes.
#pragma once

#include <string>

#include "base/result.h"
#include "model/plan_requests.h"
#include "scheduler/cluster.h"
#include "scheduler/policy.h"
#include "view/snapshot.h"

namespace blixard::controller {

// The question's `what` and `body`: as in model/plan_requests.h: drain, lose, add, launch, upgrade,
// survive. The answer is a JSON document of kind "plan": summary, moves, stuck, and whether the
// cluster survives the loss of any one host ("survives").
Result<std::string> plan(const model::Question& question, const scheduler::Cluster& cluster,
                         const view::Snapshot& state, const scheduler::Policy& policy);

// `body`: a model::RebalanceRequest. The moves that regain most room, as a document of kind "plan".
// kConflict where they are to be made (no `dry_run`), and nobody has said that VMs may be
// restarted.
Result<std::string> rebalance(const model::Question& question, const scheduler::Cluster& cluster,
                              const view::Snapshot& state, const scheduler::Policy& policy);

}  // namespace blixard::controller
