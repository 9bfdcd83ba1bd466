// Moves that make scattered room useful again.
#pragma once

#include <functional>

#include "scheduler/plan.h"

namespace blixard::scheduler {

struct Gain {
    Move move;
    double room = 0.0;  // CPUs that the usual mix can use again, > 0
};

struct Rebalance {
    std::vector<Gain>
        moves;  // in the order in which they are to be made, the most gain first at each step
    double lost_before = 0.0;  // room lost to the mix over all hosts, CPUs
    double lost_after = 0.0;
    bool finished = true;  // no move is left that gains kGainMin; false: max_moves was reached
};

inline constexpr double kGainMin = 0.05;  // CPUs; less is not worth a migration

// At most `max_moves` moves. Each one keeps every rule, at every step; only VMs whose strategy in
// force is fragmentation move, and of those only the ones that `movable` holds for (empty: all). It
// ends by itself: each move lowers the room lost by kGainMin at least, and that can never be below
// 0.
using Movable = std::function<bool(const Request&)>;
Rebalance plan_rebalance(const Cluster& cluster, const Policy& policy, std::int64_t max_moves,
                         const Movable& movable = {});

}  // namespace blixard::scheduler
