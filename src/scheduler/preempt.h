// Making room: which VMs of lower priority have to go so that one of higher priority can run.
#pragma once

#include <optional>
#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/policy.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

struct Preemption {
    HostIndex host = kNoHost;
    Take take;                     // where the VM lies once the victims are gone
    std::vector<VmIndex> victims;  // lowest priority first
};

// The smallest set of preemptible VMs of strictly lower priority whose leaving lets the VM in:
// fewest victims, then the lowest priorities, then the least lost work (youngest), then the host's
// name. Equal priority never goes. Hosts that a rule, a label or the quota refuses are not
// considered. Empty if no set of victims helps.
//
// The plan counts on all it saw: commit it as one transaction that is conditional on the host, its
// VMs and the request.
std::optional<Preemption> plan_preemption(const Cluster& cluster, const Request& request,
                                          const Policy& policy);

}  // namespace blixard::scheduler
