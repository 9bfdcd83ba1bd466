#include "scheduler/place.h"

#include <gtest/gtest.h>

namespace blixard::scheduler {
namespace {

Host host(std::string name, std::int64_t cpus, std::int64_t memory_mib) {
    Host host;
    host.name = std::move(name);
    host.capacity = {cpus * 1000, memory_mib, 100000};
    return host;
}

std::shared_ptr<Request> vm(std::string name, std::int64_t cpus, std::int64_t memory_mib) {
    auto request = std::make_shared<Request>();
    request->vm = std::move(name);
    request->project = "p";
    request->need = {cpus * 1000, memory_mib, 0};
    return request;
}

TEST(Place, the_fast_path_and_the_whole_decision_agree) {
    Cluster cluster;
    for (int i = 0; i < 20; ++i)
        ASSERT_TRUE(cluster.upsert_host(host("h" + std::to_string(100 + i), 8 + i % 3, 16384)));
    Policy policy;
    for (int i = 0; i < 60; ++i) {
        auto request = vm("v" + std::to_string(i), 1 + i % 4, 1024 * (1 + i % 5));
        cluster.observe(*request);
        auto decision = place(cluster, *request, policy);
        auto spot = choose(cluster, *request, policy);
        if (decision.outcome != Outcome::kPlaced) {
            EXPECT_FALSE(spot);
            continue;
        }
        ASSERT_TRUE(spot);
        EXPECT_EQ(cluster.host(spot->host).spec.name, decision.host);
        EXPECT_EQ(spot->score, decision.score);
        ASSERT_TRUE(cluster.place(request, *spot));
        if (i % 7 == 6) ASSERT_TRUE(cluster.release("v" + std::to_string(i - 3)));
    }
}

}  // namespace
}  // namespace blixard::scheduler
