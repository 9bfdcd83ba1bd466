#include "bench/trace/openb.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "bench/trace/chooser.h"
#include "bench/trace/csv.h"

namespace blixard::bench {
namespace {

constexpr double kDemand = 1.3;  // of capacity: so many pods are drawn

std::int64_t gpu_of(const scheduler::Request& pod) {
    return std::int64_t{pod.gpu.count} * pod.gpu.milli_each;
}

std::vector<std::string> models_of(const std::string& text) {
    std::vector<std::string> models;
    std::string model;
    for (char c : text + "|") {
        if (c != '|')
            model += c;
        else if (!model.empty())
            models.push_back(std::exchange(model, {}));
    }
    return models;
}

std::string trace_name(const std::string& path) {
    auto name = path.substr(path.rfind('/') + 1);
    for (const std::string prefix : {"openb_pod_list_"})
        if (name.rfind(prefix, 0) == 0) name = name.substr(prefix.size());
    return name.substr(0, name.rfind('.'));
}

// The pods in the order of this seed: shuffled, then drawn again uniformly until the demand is
// there.
std::vector<std::size_t> arrivals(const OpenbTrace& trace, std::int64_t capacity,
                                  SeededRandom& random) {
    std::vector<std::size_t> order(trace.pods.size());
    std::iota(order.begin(), order.end(), 0);
    for (auto i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    double demand = 0.0;
    for (auto pod : order) demand += static_cast<double>(gpu_of(trace.pods[pod]));
    while (demand < kDemand * static_cast<double>(capacity)) {
        order.push_back(random.below(trace.pods.size()));
        demand += static_cast<double>(gpu_of(trace.pods[order.back()]));
    }
    return order;
}

}  // namespace

Result<OpenbTrace> load_openb(const std::string& nodes_path, const std::string& pods_path) {
    ASSIGN_OR_RETURN(auto nodes,
                     read_csv(nodes_path, {"sn", "cpu_milli", "memory_mib", "gpu", "model"}));
    ASSIGN_OR_RETURN(auto pods,
                     read_csv(pods_path, {"cpu_milli", "memory_mib", "num_gpu", "gpu_milli"}));
    OpenbTrace trace;
    trace.name = trace_name(pods_path);
    for (std::size_t row = 0; row < nodes.rows.size(); ++row) {
        scheduler::Host host;
        host.name = nodes.text(row, "sn");
        host.capacity = {static_cast<std::int64_t>(nodes.number(row, "cpu_milli")),
                         static_cast<std::int64_t>(nodes.number(row, "memory_mib")), 0};
        host.gpus.assign(static_cast<std::size_t>(nodes.number(row, "gpu")),
                         {nodes.text(row, "model"), 1000});
        trace.nodes.push_back(std::move(host));
    }
    for (std::size_t row = 0; row < pods.rows.size(); ++row) {
        scheduler::Request pod;
        pod.need = {static_cast<std::int64_t>(pods.number(row, "cpu_milli")),
                    static_cast<std::int64_t>(pods.number(row, "memory_mib")), 0};
        pod.gpu.count = static_cast<std::int32_t>(pods.number(row, "num_gpu"));
        pod.gpu.milli_each =
            pod.gpu.count > 0 ? static_cast<std::int32_t>(pods.number(row, "gpu_milli")) : 1000;
        pod.gpu.models = models_of(pods.text(row, "gpu_spec"));
        trace.pods.push_back(std::move(pod));
    }
    return trace;
}

Result<OpenbResult> run_openb(const OpenbTrace& trace, const std::string& strategy,
                              std::uint64_t seed) {
    auto began = std::chrono::steady_clock::now();
    ASSIGN_OR_RETURN(auto chooser, Chooser::make(strategy, seed));
    scheduler::Cluster cluster;
    std::int64_t capacity = 0;
    for (const auto& node : trace.nodes) {
        RETURN_IF_ERROR(cluster.upsert_host(node));
        for (const auto& gpu : node.gpus) capacity += gpu.milli;
    }
    SeededRandom random(seed);
    std::int64_t demand = 0;
    std::int64_t allocated = 0;
    std::int64_t number = 0;
    for (auto pod : arrivals(trace, capacity, random)) {
        auto request = std::make_shared<scheduler::Request>(trace.pods[pod]);
        request->vm = fmt::format("p{}", number++);
        cluster.observe(*request);
        demand += gpu_of(*request);
        if (auto spot = chooser.choose(cluster, *request)) {
            allocated += gpu_of(*request);
            RETURN_IF_ERROR(cluster.place(request, *spot));
        }
        if (demand >= capacity) break;
    }
    OpenbResult result{trace.name, strategy, seed, 0.0, number, 0.0};
    result.allocated_percent_at_100 =
        100.0 * static_cast<double>(allocated) / static_cast<double>(capacity);
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return result;
}

}  // namespace blixard::bench
