#include "scheduler/batch.h"

#include <algorithm>

#include "base/assert.h"
#include "base/mutant.h"
#include "scheduler/filters.h"

namespace blixard::scheduler {
namespace {

constexpr std::size_t kReservedPart = 8;

// Would the VM fit if the host were empty?
bool could_hold(const Cluster& cluster, const Filters& filters, HostIndex index) {
    const auto& host = cluster.host(index);
    Take take;
    return filters.admits(index) && first_take(filters.ask(), host.capacity, host.capacity, take);
}

double lack(std::int64_t need, std::int64_t free) {
    return need > free ? static_cast<double>(need - free) / static_cast<double>(need) : 0.0;
}

HostIndex closest_host(const Cluster& cluster, const Request& request, const Policy& policy) {
    Filters filters(cluster, request, policy, strategy_for(request, policy));
    HostIndex best = kNoHost;
    double best_lack = 0.0;
    for (HostIndex index : cluster.hosts()) {
        const auto& host = cluster.host(index);
        if (host.reservation || !could_hold(cluster, filters, index)) continue;
        double lacks = lack(request.need.cpu_milli, host.free.cpu_milli) +
                       lack(request.need.memory_mib, host.free.memory_mib) +
                       lack(request.need.disk_mib, host.free.disk_mib);
        if (best != kNoHost && lacks >= best_lack) continue;
        best = index;
        best_lack = lacks;
    }
    return best;
}

// A rule of a placed VM may speak of this VM by its name, or of VMs that came before it: its
// refusal says nothing about others.
bool holds_for_all(const Decision& decision) {
    return std::none_of(decision.refusals.begin(), decision.refusals.end(),
                        [](const Refusals& one) { return one.reason == Reason::kAntiAffinity; });
}

}  // namespace

bool Reservations::refresh(Cluster& cluster, const Queue& queue, const Policy& policy) {
    const auto before = held_.size();
    std::erase_if(held_, [&](const Reservation& one) {
        auto request = queue.find(one.vm);
        auto host = cluster.find_host(one.host);
        const bool holds =
            request && host != kNoHost &&
            could_hold(cluster, Filters(cluster, *request, policy, strategy_for(*request, policy)),
                       host);
        if (holds)
            cluster.reserve(one.host, *request);
        else if (!mutant(MutantId::kRoomKeptOn))
            cluster.unreserve(one.host);
        return !holds;
    });
    return held_.size() < before;
}

bool Reservations::all_wait(const Queue& queue) const {
    return std::all_of(held_.begin(), held_.end(),
                       [&](const Reservation& one) { return queue.contains(one.vm); });
}

void Reservations::reserve_for(const Request& request, Cluster& cluster, const Policy& policy) {
    if (held_.size() >= std::max<std::size_t>(1, cluster.host_count() / kReservedPart)) return;
    if (std::any_of(held_.begin(), held_.end(),
                    [&](const Reservation& one) { return one.vm == request.vm; }))
        return;
    auto host = closest_host(cluster, request, policy);
    if (host == kNoHost || mutant(MutantId::kRoomNeverKept)) return;
    held_.push_back({request.vm, cluster.host(host).spec.name});
    cluster.reserve(held_.back().host, request);
}

void Reservations::drop(const std::string& vm, Cluster& cluster) {
    std::erase_if(held_, [&](const Reservation& one) {
        if (one.vm != vm) return false;
        cluster.unreserve(one.host);
        return true;
    });
}

const Decision& Batch::decide(Remedies remedies) {
    const auto request = queue_.next();
    ASSERT(request != nullptr);
    const Decision* known = queue_.known_answer();
    if (known && (!known->without_remedies || remedies == Remedies::kLeftOut)) {
        known_ = *known;
        known_.vm = request->vm;
        queue_.answered(known_, true);
        return known_;
    }
    // It may be counted on a host that is being cleared for it.
    if (cluster_.find_vm(request->vm) != kNoVm) (void)cluster_.release(request->vm);
    const Decision& decision = placer_.place(cluster_, *request, policy_, remedies);
    switch (decision.outcome) {
        case Outcome::kPlaced:
            (void)cluster_.place(request, decision.host, decision.assignment);
            reservations_.drop(request->vm, cluster_);
            queue_.remove(request->vm);
            return decision;
        case Outcome::kPreempts:
            (void)cluster_.place(request, decision.host, decision.assignment);
            queue_.answered(decision, false);
            return decision;
        case Outcome::kPending:
            if (now_ - *queue_.waits_since(request->vm) >= policy_.reserve_after)
                reservations_.reserve_for(*request, cluster_, policy_);
            queue_.answered(decision, holds_for_all(decision));
            return decision;
        case Outcome::kRefused: break;
    }
    queue_.answered(decision, false);
    return decision;
}

}  // namespace blixard::scheduler
