// Deciding. All functions here are pure: the same cluster, request and policy give the same answer,
// whatever the order in which hosts were added. None of them changes the cluster; call
// Cluster::place() with the answer to count it.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/policy.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

// The fast path: where, without the reasons. Empty if the VM fits nowhere (or the request is
// wrong): ask place() why. The answer is the same as place()'s. No heap allocation in steady state
// for a VM without rules.
std::optional<Spot> choose(const Cluster& cluster, const Request& request, const Policy& policy);

// The whole decision: place, score parts, runners-up, refusals by reason, and for a VM that fits
// nowhere the smallest changes that would help, or the VMs to evict where the policy allows it.
Decision place(const Cluster& cluster, const Request& request, const Policy& policy,
               Remedies remedies = Remedies::kFound);

// place() for many VMs one after the other: the memory of one decision serves the next.
class Placer {
 public:
    // Valid until the next call.
    Decision& place(const Cluster& cluster, const Request& request, const Policy& policy,
                    Remedies remedies);

 private:
    Decision decision_;
    std::vector<Spot> best_;
    std::vector<Failure> failures_;
};

// Why a VM does not (or does) go to one host: every filter that refuses it, or none if it would
// fit. kNotFound if there is no such host.
Result<std::vector<Failure>> why_not(const Cluster& cluster, const Request& request,
                                     std::string_view host, const Policy& policy);

// The strategy in force for a request: its own, its project's, the cluster's.
Strategy strategy_for(const Request& request, const Policy& policy);

}  // namespace blixard::scheduler
