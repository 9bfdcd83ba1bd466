#include "bench/trace/chooser.h"

namespace blixard::bench {
namespace {

using scheduler::Ask;
using scheduler::HostSlot;
using scheduler::Spot;
using scheduler::Take;
using scheduler::Takes;

// BestFit of the openb study: what is left of CPUs and GPUs afterwards, each as a part of the
// largest host's.
double left_after(const Ask& ask, const HostSlot& host) {
    constexpr double kLargestCpuMilli = 128000.0;
    constexpr double kLargestGpuMilli = 8000.0;
    double gpu = 0.0;
    for (int i = 0; i < host.free.gpu_count; ++i) gpu += host.free.gpu_milli[i];
    gpu -= static_cast<double>(ask.gpu_count) * ask.gpu_milli;
    return 0.5 * static_cast<double>(host.free.cpu_milli - ask.cpu_milli) / kLargestCpuMilli +
           0.5 * gpu / kLargestGpuMilli;
}

Take tightest_gpu(const HostSlot& host, const Takes& takes) {
    auto free = [&](Take take) {
        std::int64_t sum = 0;
        for (int i = 0; i < host.free.gpu_count; ++i)
            sum += (take.gpus >> i & 1) != 0 ? host.free.gpu_milli[i] : 0;
        return sum;
    };
    Take best = takes.options[0];
    for (int i = 1; i < takes.count; ++i)
        if (free(takes.options[i]) < free(best)) best = takes.options[i];
    return best;
}

// Random of the study: any host, and there any GPU that holds the share. `takes` names GPUs with
// equally much free once, so each stands for all of its kind.
Take random_gpu(const Ask& ask, const HostSlot& host, const Takes& takes, SeededRandom& random) {
    if (ask.gpu_count != 1)
        return takes.options[random.below(static_cast<std::uint64_t>(takes.count))];
    Take chosen;
    std::uint64_t fitting = 0;
    for (int i = 0; i < host.free.gpu_count; ++i) {
        if (host.free.gpu_milli[i] < ask.gpu_milli ||
            !scheduler::gpu_model_allowed(ask, host.free.gpu_model[i]))
            continue;
        if (random.below(++fitting) == 0) chosen = {takes.options[0].numa, 1U << i};
    }
    return chosen;
}

}  // namespace

Result<Chooser> Chooser::make(const std::string& name, std::uint64_t seed) {
    Chooser chooser;
    chooser.random_ =
        std::make_shared<SeededRandom>(~seed);  // not the stream that shuffles the pods
    if (name == "first-fit")
        chooser.plain_ = Plain::kFirstFit;
    else if (name == "random")
        chooser.plain_ = Plain::kRandom;
    else if (name == "best-fit")
        chooser.plain_ = Plain::kBestFit;
    else {
        ASSIGN_OR_RETURN(chooser.policy_.strategy, scheduler::parse_strategy(name));
    }
    return chooser;
}

std::optional<Spot> Chooser::choose(const scheduler::Cluster& cluster,
                                    const scheduler::Request& request) {
    return plain_ == Plain::kNone ? scheduler::choose(cluster, request, policy_)
                                  : plain(cluster, request);
}

std::optional<Spot> Chooser::plain(const scheduler::Cluster& cluster,
                                   const scheduler::Request& request) {
    auto ask = cluster.ask_of(request);
    std::optional<Spot> best;
    std::uint64_t fitting = 0;
    for (auto index : cluster.hosts()) {
        const auto& host = cluster.host(index);
        Takes takes;
        list_takes(ask, host.free, host.capacity, takes);
        if (takes.count == 0) continue;
        ++fitting;
        if (plain_ == Plain::kFirstFit) return Spot{index, takes.options[0], 0.0};
        if (plain_ == Plain::kRandom) {
            if (random_->below(fitting) == 0)
                best = Spot{index, random_gpu(ask, host, takes, *random_), 0.0};
            continue;
        }
        double left = left_after(ask, host);
        if (!best || left < best->score) best = Spot{index, tightest_gpu(host, takes), left};
    }
    return best;
}

}  // namespace blixard::bench
