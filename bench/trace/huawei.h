// VMs that come and go on NUMA servers: the protocol of SPANE (arXiv 2504.14946). Measures what VMs
// wait in total.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace blixard::bench {

struct HuaweiVm {
    std::int32_t cpu = 0;  // cores
    std::int32_t memory_gb = 0;
    double arrival_s = 0.0;
    double lifetime_s = 0.0;
};

struct HuaweiTrace {
    std::vector<HuaweiVm> vms;         // by arrival
    std::vector<std::int64_t> starts;  // rows at which episodes start
};

Result<HuaweiTrace> load_huawei(const std::string& vms_path, const std::string& starts_path);

struct HuaweiResult {
    std::int64_t hosts = 0;
    std::string strategy;
    std::int64_t episodes = 0;
    double wait_s_trimmed_mean = 0.0;
    std::int64_t decisions = 0;
    double seconds = 0.0;  // wall time of all episodes
};

// All episodes on so many hosts. kInvalid for an unknown strategy or an episode that never ends.
Result<HuaweiResult> run_huawei(const HuaweiTrace& trace, std::int64_t hosts,
                                const std::string& strategy);

}  // namespace blixard::bench
