#include "bench/micro/cluster_state.h"

#include <fmt/format.h>

#include <cstdlib>

namespace blixard::bench {

scheduler::Cluster make_cluster(std::int64_t hosts, std::int64_t vms_per_host,
                                const scheduler::Policy& policy) {
    scheduler::Cluster cluster;
    for (std::int64_t i = 0; i < hosts; ++i) {
        scheduler::Host host;
        host.name = fmt::format("host-{:05}", i);
        host.capacity = {64'000, 256 * 1024, 0};
        host.numa.assign(2, {32'000, 128 * 1024});
        if (!cluster.upsert_host(host)) std::abort();
    }
    for (std::int64_t i = 0; i < hosts * vms_per_host; ++i) {
        auto request = std::make_shared<scheduler::Request>();
        request->vm = fmt::format("default/old-{}", i);
        request->need = {4000, 16 * 1024, 0};
        cluster.observe(*request);
        const auto spot = scheduler::choose(cluster, *request, policy);
        if (!spot || !cluster.place(std::move(request), *spot)) std::abort();
    }
    return cluster;
}

}  // namespace blixard::bench
