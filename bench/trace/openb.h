// Pods with GPU shares (Alibaba's openb; FGD, USENIX ATC 2023). Measures how much of the GPUs can
// be given away.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "scheduler/host.h"
#include "scheduler/request.h"

namespace blixard::bench {

struct OpenbTrace {
    std::string name;  // "default", "multigpu20" ...
    std::vector<scheduler::Host> nodes;
    std::vector<scheduler::Request> pods;
};

Result<OpenbTrace> load_openb(const std::string& nodes_path, const std::string& pods_path);

struct OpenbResult {
    std::string trace;
    std::string strategy;
    std::uint64_t seed = 0;
    double allocated_percent_at_100 = 0.0;
    std::int64_t decisions = 0;
    double seconds = 0.0;
};

Result<OpenbResult> run_openb(const OpenbTrace& trace, const std::string& strategy,
                              std::uint64_t seed);

}  // namespace blixard::bench
