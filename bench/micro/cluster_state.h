// A scheduler's cluster of like hosts, each with some VMs.
#pragma once

#include "scheduler/cluster.h"
#include "scheduler/place.h"

namespace blixard::bench {

// Hosts of 64 CPUs and 256 GiB; VMs of 4 and 16.
scheduler::Cluster make_cluster(std::int64_t hosts, std::int64_t vms_per_host,
                                const scheduler::Policy& policy);

}  // namespace blixard::bench
