// From the model's records to the scheduler's values. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/host.h"
#include "scheduler/policy.h"
#include "scheduler/request.h"
#include "view/snapshot.h"

namespace blixard::controller {

// `state`: ready, cordoned, draining or lost, as the controller judges it.
scheduler::Host host_of(const view::NodeEntry& node, scheduler::HostState state);

// The VM as the scheduler sees it; its volumes' homes are looked up in `state`.
std::shared_ptr<const scheduler::Request> request_of(const view::VmEntry& vm,
                                                     const view::Snapshot& state);

// The same for a VM that does not exist (what-if).
scheduler::Request request_of(std::string project, std::string name, const model::VmSpec& spec,
                              const view::Snapshot& state);

// Teaches the cluster the flavour mix: every VM that has ever had a place or waits for its first,
// in the order of creation.
void learn_mix(scheduler::Cluster& cluster, const view::Snapshot& state);

scheduler::Assignment assignment_of(const model::Placement& placement);

// Strategies and quotas of the projects.
scheduler::Policy policy_of(const view::Snapshot& state, const scheduler::Policy& defaults);
// The same for one project that has changed, or gone, since `policy` was made.
void take_strategy(const view::Snapshot& state, const std::string& project,
                   const scheduler::Policy& defaults, scheduler::Policy& policy);

// The decision as the JSON document that is kept with the placement and served by `why`.
std::string decision_json(const scheduler::Decision& decision);
std::string parts_json(const std::vector<scheduler::ScorePart>& parts);
// A JSON string; control characters become blanks.
std::string quoted(std::string_view text);

}  // namespace blixard::controller
