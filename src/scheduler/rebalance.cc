#include "scheduler/rebalance.h"

#include <algorithm>
#include <optional>

#include "base/mutant.h"
#include "scheduler/place.h"
#include "scheduler/rules.h"

namespace blixard::scheduler {
namespace {

constexpr std::size_t kHostsLookedAt =
    32;  // those that lose most room; bounds the work of one step

double lost_on(const Cluster& cluster, HostIndex index) {
    const auto& host = cluster.host(index);
    return cluster.room_lost(host, host.free);
}

double lost_in(const Cluster& cluster) {
    double lost = 0.0;
    for (HostIndex index : cluster.hosts()) lost += lost_on(cluster, index);
    return lost;
}

std::vector<HostIndex> worst_hosts(const Cluster& cluster) {
    std::vector<HostIndex> hosts(cluster.hosts().begin(), cluster.hosts().end());
    std::stable_sort(hosts.begin(), hosts.end(), [&](HostIndex a, HostIndex b) {
        return lost_on(cluster, a) > lost_on(cluster, b);
    });
    if (hosts.size() > kHostsLookedAt) hosts.resize(kHostsLookedAt);
    return hosts;
}

struct Step {
    std::shared_ptr<const Request> vm;
    Spot from;
    Spot to;
    double gain = 0.0;
};

// Whom hard affinity rules of placed VMs speak of: those VMs stay, as others have to be near them.
// All other rules are kept by place(), which filters by the rules of the VM and of those it would
// join.
std::vector<Selector> anchors_of(const Cluster& cluster) {
    std::vector<Selector> anchors;
    for (HostIndex index : cluster.hosts())
        for (VmIndex vm : cluster.host(index).vms)
            for (const auto& rule : cluster.vm(vm).request->affinities)
                if (!rule.anti && rule.hard &&
                    std::find(anchors.begin(), anchors.end(), rule.target) == anchors.end())
                    anchors.push_back(rule.target);
    return anchors;
}

bool may_move(const std::vector<Selector>& anchors, const Request& vm, const Policy& policy,
              const Movable& movable) {
    if (movable && !movable(vm)) return false;
    if (strategy_for(vm, policy) != Strategy::kFragmentation || !vm.volume_pins.empty())
        return false;
    if (mutant(MutantId::kAnchorsMove)) return true;
    return std::none_of(anchors.begin(), anchors.end(),
                        [&](const Selector& anchor) { return matches(anchor, vm); });
}

std::optional<Step> try_move(Cluster& cluster, VmIndex index, const Policy& policy) {
    auto vm = cluster.vm(index).request;
    Spot from{cluster.vm(index).host, cluster.vm(index).take, 0.0};
    double before = lost_on(cluster, from.host);
    (void)cluster.release(vm->vm);
    double regained = before - lost_on(cluster, from.host);
    auto to = choose(cluster, *vm, policy);
    std::optional<Step> step;
    if (to && to->host != from.host) {
        const auto& target = cluster.host(to->host);
        auto after = target.free;
        occupy(after, cluster.ask_of(*vm), to->take);
        double gain =
            regained + cluster.room_lost(target, target.free) - cluster.room_lost(target, after);
        if (gain >= kGainMin) step = Step{vm, from, *to, gain};
    }
    (void)cluster.place(vm, from);
    return step;
}

std::optional<Step> best_step(Cluster& cluster, const std::vector<Selector>& anchors,
                              const Policy& policy, const Movable& movable) {
    std::optional<Step> best;
    for (HostIndex index : worst_hosts(cluster)) {
        std::vector<std::string> keys;
        for (VmIndex vm : cluster.host(index).vms) keys.push_back(cluster.vm(vm).request->vm);
        std::sort(keys.begin(), keys.end());
        for (const auto& key : keys) {
            auto vm = cluster.find_vm(key);
            if (!may_move(anchors, *cluster.vm(vm).request, policy, movable)) continue;
            auto step = try_move(cluster, vm, policy);
            if (step && (!best || step->gain > best->gain)) best = step;
        }
    }
    return best;
}

}  // namespace

Rebalance plan_rebalance(const Cluster& cluster, const Policy& policy, std::int64_t max_moves,
                         const Movable& movable) {
    auto copy = cluster;
    auto anchors = anchors_of(cluster);
    Rebalance result;
    result.lost_before = result.lost_after = lost_in(copy);
    while (auto step = best_step(copy, anchors, policy, movable)) {
        if (static_cast<std::int64_t>(result.moves.size()) >= max_moves) {
            result.finished = false;
            break;
        }
        result.moves.push_back(
            {{step->vm->vm, copy.host(step->from.host).spec.name,
              copy.host(step->to.host).spec.name, copy.assignment_of(step->to.take)},
             step->gain});
        (void)copy.release(step->vm->vm);
        (void)copy.place(step->vm, step->to);
        result.lost_after -= step->gain;
    }
    return result;
}

}  // namespace blixard::scheduler
