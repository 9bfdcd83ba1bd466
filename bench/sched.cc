// blixard-bench sched: decisions per second by number of hosts, on one core, with departures mixed
// in.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "base/random.h"
#include "bench/allocations.h"
#include "bench/commands.h"
#include "bench/options.h"
#include "scheduler/place.h"

namespace blixard::bench {
namespace {

using namespace scheduler;

struct Size {
    std::int64_t cpus, memory_gib, percent;
};
// Common sizes of public clouds: general purpose 1:4, compute 1:2, memory 1:8.
constexpr Size kSizes[] = {{1, 2, 14}, {1, 4, 14}, {2, 4, 14},  {2, 8, 14},
                           {2, 16, 6}, {4, 8, 9},  {4, 16, 9},  {4, 32, 4},
                           {8, 16, 5}, {8, 32, 5}, {16, 64, 4}, {32, 128, 2}};
constexpr double kFull = 0.70;
constexpr std::int64_t kHostCpus = 64;

class Churn {
 public:
    explicit Churn(std::int64_t hosts) : capacity_(hosts * kHostCpus * 1000) {
        for (std::int64_t i = 0; i < hosts; ++i) {
            Host host;
            host.name = fmt::format("h{:05}", i);
            host.capacity = {kHostCpus * 1000, 256 * 1024, 0};
            host.numa.assign(2, {kHostCpus * 500, 128 * 1024});
            if (!cluster_.upsert_host(host)) std::abort();
        }
        while (static_cast<double>(used_) < kFull * static_cast<double>(capacity_)) arrive();
    }

    // One arrival, and departures of VMs chosen at random until the load is what it was.
    void step() {
        arrive();
        while (static_cast<double>(used_) > kFull * static_cast<double>(capacity_)) depart();
    }
    std::int64_t refused() const { return refused_; }

 private:
    void arrive() {
        auto request = draw();
        cluster_.observe(*request);
        auto spot = choose(cluster_, *request, policy_);
        if (!spot) {
            ++refused_;
            depart();
            return;
        }
        used_ += request->need.cpu_milli;
        live_.push_back(request);
        if (!cluster_.place(std::move(request), *spot)) std::abort();
    }

    void depart() {
        auto index = random_.below(live_.size());
        used_ -= live_[index]->need.cpu_milli;
        if (!cluster_.release(live_[index]->vm)) std::abort();
        live_[index] = std::move(live_.back());
        live_.pop_back();
    }

    std::shared_ptr<const Request> draw() {
        auto roll = static_cast<std::int64_t>(random_.below(100));
        const Size* size = kSizes;
        while (roll >= size->percent) roll -= (size++)->percent;
        auto request = std::make_shared<Request>();
        fmt::format_to(std::back_inserter(request->vm), "v{}", number_++);
        request->need = {size->cpus * 1000, size->memory_gib * 1024, 0};
        return request;
    }

    Cluster cluster_;
    Policy policy_;
    SeededRandom random_{7};
    std::vector<std::shared_ptr<const Request>> live_;
    std::int64_t capacity_;
    std::int64_t used_ = 0;
    std::int64_t number_ = 0;
    std::int64_t refused_ = 0;
};

}  // namespace

int sched(Arguments arguments) {
    auto options = parse_options(arguments, {"hosts", "decisions", "json"});
    if (!options) {
        std::fprintf(stderr, "blixard-bench sched: %s\n", describe(options.error()).c_str());
        return 1;
    }
    auto counts = options->counts("decisions", {200000});
    auto sizes = options->counts("hosts", {10, 30, 100, 300, 1000, 3000, 10000});
    for (const auto* checked : {&counts, &sizes})
        if (!*checked) {
            std::fprintf(stderr, "blixard-bench sched: %s\n", describe(checked->error()).c_str());
            return 1;
        }
    auto decisions = counts->front();
    std::string rows;
    fmt::print("strategy fragmentation, {:.0f} % full, one departure per arrival, one core\n",
               100 * kFull);
    fmt::print("{:>7} {:>12} {:>12} {:>14} {:>8}\n", "hosts", "decisions/s", "us/decision",
               "allocations/dec", "refused");
    for (auto hosts : *sizes) {
        Churn churn(hosts);
        for (std::int64_t i = 0; i < decisions / 4; ++i) churn.step();
        auto refused = churn.refused();
        auto before = allocations();
        auto began = std::chrono::steady_clock::now();
        for (std::int64_t i = 0; i < decisions; ++i) churn.step();
        double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
        auto count = static_cast<double>(decisions);
        double per_decision = static_cast<double>(allocations() - before) / count;
        fmt::print("{:>7} {:>12.0f} {:>12.2f} {:>14.2f} {:>8}\n", hosts, count / seconds,
                   1e6 * seconds / count, per_decision, churn.refused() - refused);
        rows += fmt::format(
            R"({}{{"hosts": {}, "decisions_per_s": {:.0f}, "allocations_per_decision": {:.3f}}})",
            rows.empty() ? "" : ",\n  ", hosts, count / seconds, per_decision);
        std::fflush(stdout);
    }
    auto path = options->text("json");
    if (path.empty()) return 0;
    std::ofstream file(path);
    file << "{\"rows\": [" << rows << "]}\n";
    if (file.flush()) return 0;
    std::fprintf(stderr, "blixard-bench sched: cannot write %s\n", path.c_str());
    return 1;
}

}  // namespace blixard::bench
