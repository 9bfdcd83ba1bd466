// One run: the hosts, the store, the people, and the faults of a plan; then the healing, and what
// must be true in the end.
//
// Threads: one per world; worlds share nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/schedule.h"
#include "sim/trace.h"

namespace blixard::sim {

struct Outcome {
    std::optional<std::string> failure;
    std::int64_t failed_at_ms = 0;
    std::uint64_t hash = 0;
    std::int64_t virtual_ms = 0;
    std::uint64_t faults = 0, orders = 0, checks = 0, steps = 0, processes = 0, failovers = 0;
    std::vector<TraceLine> lines;  // where they were asked for
};

// The same plan gives the same outcome, always. `records`, where not null, gets what each host's
// flight recorder has kept (src/recorder).
using Records = std::map<std::string, std::string>;
Outcome run_plan(const Plan& plan, bool keep_lines, Records* records = nullptr);

}  // namespace blixard::sim
