// What-if questions as the API takes and answers them. Pure: on a copy of the state, nothing
// changes.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "scheduler/cluster.h"
#include "scheduler/policy.h"
#include "view/snapshot.h"

namespace blixard::controller {

// `what`: drain {"node"} | lose {"nodes": [...]} | add {"name"?, "cpus", "memory_mib", "disk_mib"?,
// "zone"?} | launch {"project"?, "spec", "count"?} | upgrade {} | rebalance {"max_moves"?}. The
// answer is a JSON document of kind "plan": summary, moves, stuck, and whether the cluster survives
// the loss of any one host ("survives").
Result<std::string> plan(std::string_view what, const std::string& body,
                         const scheduler::Cluster& cluster, const view::Snapshot& state,
                         const scheduler::Policy& policy);

}  // namespace blixard::controller
