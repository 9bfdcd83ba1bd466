// Many pending VMs decided together from one snapshot, so that two decisions never count the same
// room.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/policy.h"

namespace blixard::scheduler {

// A host is kept free for a VM that has waited long: what leaves it is not given to VMs whose turn
// comes later.
struct Reservation {
    std::string vm;
    std::string host;

    bool operator==(const Reservation&) const = default;
};

struct Batch {
    std::vector<Decision> decisions;  // in the order in which they were made: priority, then age
    std::vector<Reservation> reservations;  // hand them to the next batch
    std::int64_t left_over =
        0;  // pending VMs beyond policy.batch_max, whose turn comes in the next batch
};

// Decides at most policy.batch_max of the pending VMs. `cluster` is the caller's copy (or its live
// one, if it wants the VMs that found a place counted at once): each VM that finds a place is
// counted in it before the next one is decided. A VM that has waited longer than
// policy.reserve_after and fits nowhere gets a host reserved; `before` are the reservations of the
// last batch, which hold until their VM has a place, is no longer pending, or the host is gone.
//
// VMs whose place needs evictions keep the host to themselves for the rest of the batch; the
// evictions are not carried out.
Batch decide_batch(Cluster& cluster, std::span<const std::shared_ptr<const Request>> pending,
                   const Policy& policy, WallTime now, std::span<const Reservation> before = {});

}  // namespace blixard::scheduler
