#include "bench/trace/huawei.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <queue>

#include "bench/trace/chooser.h"
#include "bench/trace/csv.h"

namespace blixard::bench {
namespace {

using scheduler::Cluster;
using scheduler::Request;
using scheduler::Spot;

constexpr std::int64_t kMibPerGb = 1024;
constexpr int kNodes = 2;
constexpr std::int64_t kNodeCores = 40;
constexpr std::int64_t kNodeGb = 90;
constexpr std::int32_t kSplitAboveGb = 10;  // a VM with more memory is split over both nodes
constexpr std::int64_t kAfterRefusal = 40;  // VMs handled after the first that first-fit refuses
constexpr double kTrim = 0.10;              // of the episodes, at each end
constexpr std::int64_t kRowsLearnt =
    50000;  // at most so many rows before the episodes teach the flavour mix

scheduler::Host server(std::int64_t index) {
    scheduler::Host host;
    host.name = fmt::format("server-{:04}", index);
    host.capacity = {kNodes * kNodeCores * 1000, kNodes * kNodeGb * kMibPerGb, 0};
    host.numa.assign(kNodes, {kNodeCores * 1000, kNodeGb * kMibPerGb});
    return host;
}

std::shared_ptr<const Request> request_of(const HuaweiVm& vm, std::int64_t row) {
    auto request = std::make_shared<Request>();
    request->vm = fmt::format("v{}", row);
    request->need = {vm.cpu * 1000, vm.memory_gb * kMibPerGb, 0};
    request->numa = vm.memory_gb > kSplitAboveGb ? scheduler::NumaPolicy::kSplit
                                                 : scheduler::NumaPolicy::kSingle;
    return request;
}

// One empty cluster in virtual time.
class Episode {
 public:
    Episode(const HuaweiTrace& trace, const Cluster& empty, Chooser chooser)
        : trace_(trace), cluster_(empty), chooser_(std::move(chooser)) {}

    // How many VMs are placed before the first that does not fit at the moment its predecessor has
    // been placed.
    std::int64_t count_until_refusal(std::int64_t start) {
        for (auto row = start; row < rows(); ++row) {
            auto request = request_of(vm(row), row);
            if (!chooser_.choose(cluster_, *request)) return row - start;
            depart_until(vm(row).arrival_s);
            now_ = vm(row).arrival_s;
            put(row, request, *chooser_.choose(cluster_, *request));
        }
        return rows() - start;
    }

    // Total wait in seconds of `count` VMs; negative if one fits not even on the empty cluster.
    double run(std::int64_t start, std::int64_t count) {
        double wait = 0.0;
        now_ = vm(start).arrival_s;
        for (auto row = start; row < std::min(start + count, rows()); ++row) {
            now_ = std::max(now_, vm(row).arrival_s);
            depart_until(now_);
            auto request = request_of(vm(row), row);
            cluster_.observe(*request);
            auto spot = chooser_.choose(cluster_, *request);
            while (!spot) {
                if (departures_.empty()) return -1.0;
                now_ = std::max(now_, departures_.top().first);
                depart_until(now_);
                spot = chooser_.choose(cluster_, *request);
            }
            wait += now_ - vm(row).arrival_s;
            put(row, request, *spot);
        }
        return wait;
    }

    std::int64_t decisions() const { return decisions_; }

 private:
    using Departure = std::pair<double, std::int64_t>;

    std::int64_t rows() const { return static_cast<std::int64_t>(trace_.vms.size()); }
    const HuaweiVm& vm(std::int64_t row) const { return trace_.vms[static_cast<std::size_t>(row)]; }

    void put(std::int64_t row, std::shared_ptr<const Request> request, const Spot& spot) {
        ++decisions_;
        (void)cluster_.place(std::move(request), spot);
        departures_.emplace(now_ + vm(row).lifetime_s, row);
    }

    void depart_until(double time) {
        while (!departures_.empty() && departures_.top().first <= time) {
            (void)cluster_.release(fmt::format("v{}", departures_.top().second));
            departures_.pop();
        }
    }

    const HuaweiTrace& trace_;
    Cluster cluster_;
    Chooser chooser_;
    double now_ = 0.0;
    std::int64_t decisions_ = 0;
    std::priority_queue<Departure, std::vector<Departure>, std::greater<>> departures_;
};

double trimmed_mean(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    auto cut = static_cast<std::size_t>(static_cast<double>(values.size()) * kTrim);
    double sum = 0.0;
    for (auto i = cut; i < values.size() - cut; ++i) sum += values[i];
    return sum / static_cast<double>(values.size() - 2 * cut);
}

Cluster empty_cluster(std::int64_t hosts) {
    Cluster cluster;
    for (std::int64_t i = 0; i < hosts; ++i) (void)cluster.upsert_host(server(i));
    return cluster;
}

// The flavour mix is learnt from rows that lie before every episode.
void learn(Cluster& cluster, const HuaweiTrace& trace) {
    auto first = *std::min_element(trace.starts.begin(), trace.starts.end());
    for (std::int64_t row = std::max<std::int64_t>(0, first - kRowsLearnt); row < first; ++row)
        cluster.observe(*request_of(trace.vms[static_cast<std::size_t>(row)], row));
}

// A row that cannot be meant is named, as a wrong column would only show as a strange result.
Status check_rows(const std::string& path, const HuaweiTrace& trace) {
    double before = 0.0;
    for (std::size_t row = 0; row < trace.vms.size(); ++row) {
        const auto& vm = trace.vms[row];
        if (vm.cpu < 1 || vm.cpu > kNodes * kNodeCores || vm.memory_gb < 0 ||
            vm.memory_gb > kNodes * kNodeGb || vm.lifetime_s < 0 || vm.arrival_s < before)
            return fail(ErrorCode::kInvalid,
                        fmt::format("{}: row {} ({} cores, {} GB, arrives at {} s, lives {} s)",
                                    path, row, vm.cpu, vm.memory_gb, vm.arrival_s, vm.lifetime_s),
                        "rows are sorted by arrival, and each VM fits an empty server");
        before = vm.arrival_s;
    }
    return {};
}

}  // namespace

Result<HuaweiTrace> load_huawei(const std::string& vms_path, const std::string& starts_path) {
    ASSIGN_OR_RETURN(auto table, read_csv(vms_path, {"cpu", "mem", "at", "lt"}));
    HuaweiTrace trace;
    for (std::size_t row = 0; row < table.rows.size(); ++row)
        trace.vms.push_back({static_cast<std::int32_t>(table.number(row, "cpu")),
                             static_cast<std::int32_t>(table.number(row, "mem")),
                             table.number(row, "at"), table.number(row, "lt")});
    RETURN_IF_ERROR(check_rows(vms_path, trace));
    ASSIGN_OR_RETURN(trace.starts, read_numbers(starts_path));
    for (auto start : trace.starts)
        if (start < 0 || start >= static_cast<std::int64_t>(trace.vms.size()))
            return fail(ErrorCode::kInvalid,
                        fmt::format("{}: there is no row {}", starts_path, start));
    if (trace.starts.empty())
        return fail(ErrorCode::kInvalid, fmt::format("{} is empty", starts_path));
    return trace;
}

Result<HuaweiResult> run_huawei(const HuaweiTrace& trace, std::int64_t hosts,
                                const std::string& strategy) {
    auto began = std::chrono::steady_clock::now();
    auto plain = empty_cluster(hosts);
    auto taught = plain;
    learn(taught, trace);
    HuaweiResult result{hosts, strategy, 0, 0.0, 0, 0.0};
    std::vector<double> waits;
    for (auto start : trace.starts) {
        ASSIGN_OR_RETURN(auto first_fit, Chooser::make("first-fit", 1));
        ASSIGN_OR_RETURN(auto chooser, Chooser::make(strategy, 1));
        auto count = Episode(trace, plain, first_fit).count_until_refusal(start) + kAfterRefusal;
        Episode episode(trace, taught, chooser);
        waits.push_back(episode.run(start, count));
        result.decisions += episode.decisions();
        if (waits.back() < 0)
            return fail(ErrorCode::kInvalid,
                        fmt::format("a VM of the episode at row {} is too large", start));
    }
    result.episodes = static_cast<std::int64_t>(waits.size());
    result.wait_s_trimmed_mean = trimmed_mean(waits);
    result.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return result;
}

}  // namespace blixard::bench
