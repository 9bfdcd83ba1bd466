// Questions to the scheduler about the present state: why, why not, what if. Pure: the state is a
// parameter, nothing changes.
#pragma once

#include <string>

#include "base/result.h"
#include "scheduler/cluster.h"
#include "scheduler/policy.h"
#include "view/snapshot.h"

namespace blixard::controller {

struct Question {
    std::string
        what;  // "why" | "why-not" | "drain" | "lose" | "add" | "launch" | "upgrade" | "rebalance"
    std::string vm;  // "<project>/<name>"
    std::string node;
    std::string body;           // JSON, as the API took it
    bool dry_run = false;       // rebalance
    std::int64_t allowed = -1;  // launch: so many by the project's quota; -1: all
    std::string beyond;         // and what is said of the others
};

// The scheduler's picture of a whole state, made anew: O(hosts + VMs).
scheduler::Cluster cluster_of(const view::Snapshot& state);

// A JSON document.
Result<std::string> answer(const Question& question, const view::Snapshot& state,
                           const scheduler::Policy& defaults);

}  // namespace blixard::controller
