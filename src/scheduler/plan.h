// What would happen if: the same decisions, made on a copy. Nothing here changes the cluster it is
// asked about.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/policy.h"

namespace blixard::scheduler {

struct Move {
    std::string vm;
    std::string from;  // empty: it had no place
    std::string to;
    Assignment assignment;

    bool operator==(const Move&) const = default;
};

struct Stuck {
    std::string vm;
    std::string from;
    std::string why;  // the decision's summary
};

struct Plan {
    std::vector<Move> moves;   // in the order in which they can be made
    std::vector<Stuck> stuck;  // what does not fit anywhere, and why
};

// Where the VMs of these hosts go if the hosts drain, or are lost. kNotFound for a host that is not
// known.
Result<Plan> plan_drain(const Cluster& cluster, std::span<const std::string> hosts,
                        const Policy& policy);
Result<Plan> plan_lose(const Cluster& cluster, std::span<const std::string> hosts,
                       const Policy& policy);

// Which of the pending VMs find a place once `count` hosts like this one are there; beyond the
// first they are called the host's name with "-2", "-3" ... behind. kExists if there is one of that
// name.
Result<Plan> plan_add(const Cluster& cluster, const Host& host, std::int64_t count,
                      std::span<const std::shared_ptr<const Request>> pending,
                      const Policy& policy);

// Where `count` VMs like this one would go; their keys are the request's with "-1", "-2" ...
// behind.
Result<Plan> plan_launch(const Cluster& cluster, const Request& request, std::int64_t count,
                         const Policy& policy);

// One step for each host, in order of name: drain it, work on it, let it take VMs again. Each step
// starts from where the one before left the VMs.
struct UpgradeStep {
    std::string host;
    Plan plan;
};
std::vector<UpgradeStep> plan_upgrade(const Cluster& cluster, const Policy& policy);

// Whether all VMs find a place after the loss of any `k` hosts.
struct Survival {
    bool survives = true;  // no set that was tried leaves a VM without a place
    bool all_sets_tried =
        true;  // false: there are more than kLossSetsMax sets; the fullest hosts were tried
    std::int64_t sets_tried = 0;
    std::vector<std::string> worst;  // the set that leaves most VMs without a place
    std::vector<Stuck> stuck;        // those VMs
};
inline constexpr std::int64_t kLossSetsMax = 20'000;
// kInvalid if k is not between 1 and the number of hosts. At most `sets_most` sets are tried.
Result<Survival> survives_losses(const Cluster& cluster, std::int64_t k, const Policy& policy,
                                 std::int64_t sets_most = kLossSetsMax);

}  // namespace blixard::scheduler
