// What the operator may turn: defaults and weights. Nothing here is learnt, and nothing is fitted
// to a data set.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

struct Quota {
    Resources limit{-1, -1, -1};  // -1: no limit
    std::int32_t vms = -1;
    std::int32_t gpu_milli = -1;

    bool operator==(const Quota&) const = default;
};

struct Policy {
    Strategy strategy = Strategy::kFragmentation;
    std::map<std::string, Strategy, std::less<>> project_strategy;
    std::map<std::string, Quota, std::less<>> quota;

    // Shares of the three resources in most-available and least-available.
    double weight_cpu = 1.0;
    double weight_memory = 1.0;
    double weight_disk = 0.5;

    double zone_points = 50.0;    // locality: what the first of the preferred zones is worth
    bool preempt_always = false;  // false: only VMs of strategy `priority` evict others

    Millis reserve_after = seconds(300);  // a VM that waited so long gets a host kept free for it
    std::int32_t runners_up = 3;          // kept in a decision
};

}  // namespace blixard::scheduler
