#include "scheduler/batch.h"

#include <algorithm>
#include <unordered_map>

#include "scheduler/filters.h"
#include "scheduler/order.h"
#include "scheduler/place.h"

namespace blixard::scheduler {
namespace {

using Pending = std::shared_ptr<const Request>;

constexpr std::size_t kReservedPart =
    8;  // at most one host in eight (and always one) may be reserved

class Turn {
 public:
    Turn(Cluster& cluster, const Policy& policy, WallTime now, std::size_t hosts)
        : cluster_(cluster),
          policy_(policy),
          now_(now),
          reservations_max_(std::max<std::size_t>(1, hosts / kReservedPart)) {}

    void keep(const Request& request, const Reservation& reservation) {
        auto host = cluster_.find_host(reservation.host);
        if (host == kNoHost || cluster_.find_vm(request.vm) != kNoVm) return;
        if (batch_.reservations.size() >= reservations_max_ || !could_hold(request, host)) return;
        reserve(request, reservation.host);
    }

    void decide(const Pending& request) {
        if (auto known = known_refusals_.find(flavour_of(*request));
            known != known_refusals_.end() && is_plain(*request)) {
            auto decision = known->second;
            decision.vm = request->vm;
            batch_.decisions.push_back(std::move(decision));
        } else {
            decide_anew(request);
        }
        if (batch_.decisions.back().outcome == Outcome::kPending) consider_reserving(*request);
    }

    Batch take() {
        for (const auto& one : batch_.reservations) cluster_.unreserve(one.host);
        for (const auto& host : held_for_evictions_) cluster_.unreserve(host);
        return std::move(batch_);
    }

 private:
    void decide_anew(const Pending& request) {
        auto decision = place(cluster_, *request, policy_);
        if (decision.outcome == Outcome::kPlaced) {
            (void)cluster_.place(request, decision.host, decision.assignment);
            drop_reservation(request->vm);
        } else if (decision.outcome == Outcome::kPreempts) {
            cluster_.reserve(decision.host, *request);
            held_for_evictions_.push_back(decision.host);
        } else if (decision.outcome == Outcome::kPending && is_plain(*request)) {
            known_refusals_.emplace(flavour_of(*request), decision);
        }
        batch_.decisions.push_back(std::move(decision));
    }

    // Room only shrinks within a batch, so what was refused once stays refused for VMs that differ
    // in name and age only.
    bool is_plain(const Request& request) const {
        return request.affinities.empty() && request.host_labels.empty() &&
               request.features.empty() && request.labels.empty() && request.volume_pins.empty() &&
               request.excluded_hosts.empty() && request.zones == Zones{} &&
               request.cost_max_per_hour == 0.0 && batch_.reservations.empty() &&
               strategy_for(request, policy_) == Strategy::kFragmentation &&
               !policy_.preempt_always;
    }

    std::uint64_t flavour_of(const Request& request) const {
        return hash_of({ask_hash(cluster_.ask_of(request)),
                        std::hash<std::string>{}(request.project),
                        std::hash<std::string>{}(request.accelerator),
                        static_cast<std::uint64_t>(request.priority)});
    }

    // Would the VM fit if the host were empty?
    bool could_hold(const Request& request, HostIndex index) const {
        Filters filters(cluster_, request, policy_, strategy_for(request, policy_));
        const auto& host = cluster_.host(index);
        Take take;
        return filters.admits(index) &&
               first_take(filters.ask(), host.capacity, host.capacity, take);
    }

    void consider_reserving(const Request& request) {
        if (now_ - request.created < policy_.reserve_after ||
            batch_.reservations.size() >= reservations_max_)
            return;
        if (std::any_of(batch_.reservations.begin(), batch_.reservations.end(),
                        [&](const Reservation& one) { return one.vm == request.vm; }))
            return;
        auto host = closest_host(request);
        if (host != kNoHost) reserve(request, cluster_.host(host).spec.name);
    }

    // The host that could hold the VM and lacks the smallest part of it now.
    HostIndex closest_host(const Request& request) const {
        HostIndex best = kNoHost;
        double best_lack = 0.0;
        auto lack = [](std::int64_t need, std::int64_t free) {
            return need > free ? static_cast<double>(need - free) / static_cast<double>(need) : 0.0;
        };
        for (HostIndex index : cluster_.hosts()) {
            const auto& host = cluster_.host(index);
            if (host.reservation || !could_hold(request, index)) continue;
            double lacks = lack(request.need.cpu_milli, host.free.cpu_milli) +
                           lack(request.need.memory_mib, host.free.memory_mib) +
                           lack(request.need.disk_mib, host.free.disk_mib);
            if (best != kNoHost && lacks >= best_lack) continue;
            best = index;
            best_lack = lacks;
        }
        return best;
    }

    void reserve(const Request& request, const std::string& host) {
        cluster_.reserve(host, request);
        batch_.reservations.push_back({request.vm, host});
    }

    void drop_reservation(const std::string& vm) {
        std::erase_if(batch_.reservations, [&](const Reservation& one) {
            if (one.vm != vm) return false;
            cluster_.unreserve(one.host);
            return true;
        });
    }

    Cluster& cluster_;
    const Policy& policy_;
    WallTime now_;
    std::size_t reservations_max_;
    Batch batch_;
    std::vector<std::string> held_for_evictions_;
    std::unordered_map<std::uint64_t, Decision> known_refusals_;
};

}  // namespace

Batch decide_batch(Cluster& cluster, std::span<const Pending> pending, const Policy& policy,
                   WallTime now, std::span<const Reservation> before) {
    std::vector<Pending> order(pending.begin(), pending.end());
    auto most = std::min<std::size_t>(order.size(),
                                      static_cast<std::size_t>(std::max(0, policy.batch_max)));
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(most), order.end(),
                      [](const Pending& a, const Pending& b) { return goes_before(*a, *b); });
    Turn turn(cluster, policy, now, cluster.host_count());
    for (const auto& reservation : before)
        for (const auto& one : order)
            if (one->vm == reservation.vm) turn.keep(*one, reservation);
    for (std::size_t i = 0; i < most; ++i) turn.decide(order[i]);
    auto batch = turn.take();
    batch.left_over = static_cast<std::int64_t>(order.size() - most);
    return batch;
}

}  // namespace blixard::scheduler
