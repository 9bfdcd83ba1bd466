// Closed-loop load: each connection sends its next request when it has its answer. One thread,
// epoll.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/api/http_client.h"

namespace blixard::bench {

struct Load {
    Endpoint endpoint;
    int connections = 1;
    std::uint64_t requests = 1000;
    std::function<std::string(std::uint64_t)> request;  // the n-th one
    int status = 200;  // any other ends the run with what the server said
};

struct Figures {
    std::uint64_t requests = 0;
    double p50_us = 0, p99_us = 0, per_second = 0;
    std::uint64_t body_bytes = 0;  // of the last answer
};

Result<Figures> run(const Load& load);

// The value below which `share` (0..1) of them lie; sorts.
double percentile(std::vector<double>& values, double share);

double now_us();  // monotonic

}  // namespace blixard::bench
