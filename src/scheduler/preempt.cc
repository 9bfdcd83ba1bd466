#include "scheduler/preempt.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "base/mutant.h"
#include "scheduler/filters.h"
#include "scheduler/place.h"

namespace blixard::scheduler {
namespace {

constexpr std::int64_t kSetsTried =
    200'000;                      // bound on the exact search over all hosts (about 0.1 s)
constexpr int kExactVictims = 3;  // larger sets are found by taking the lowest first

// What a set of victims costs; smaller is better.
struct Price {
    std::size_t victims = 0;
    std::int32_t highest = 0;
    std::int64_t priorities = 0;
    std::int64_t lost_work = 0;  // the older a VM, the more; sum of -started
    std::uint32_t rank = 0;

    auto tie() const { return std::tie(victims, highest, priorities, lost_work, rank); }
    bool operator<(const Price& other) const { return tie() < other.tie(); }
};

class Search {
 public:
    Search(const Cluster& cluster, const Filters& filters) : cluster_(cluster), filters_(filters) {
        for (HostIndex index : cluster.hosts()) collect(index);
    }

    std::optional<Preemption> run() {
        for (int size = 1; size <= kExactVictims && !best_; ++size)
            for (const auto& host : hosts_) try_sets(host, size);
        if (!best_)
            for (const auto& host : hosts_) try_lowest_first(host);
        return best_;
    }

 private:
    struct HostVictims {
        HostIndex host;
        std::vector<VmIndex> victims;  // lowest priority first, then youngest
    };

    // A VM that this one must be near cannot make room for it.
    bool is_wanted_near(const Request& vm) const {
        const auto& rules = filters_.request().affinities;
        return std::any_of(rules.begin(), rules.end(), [&](const Affinity& rule) {
            return !rule.anti && rule.hard && matches(rule.target, vm);
        });
    }

    void collect(HostIndex index) {
        const auto& host = cluster_.host(index);
        if (host.vms.empty() || !filters_.admits(index)) return;
        HostVictims found{index, {}};
        for (VmIndex vm : host.vms) {
            const auto& request = *cluster_.vm(vm).request;
            if (request.preemptible &&
                (request.priority < filters_.request().priority ||
                 (mutant(MutantId::kPreemptsEquals) &&
                  request.priority == filters_.request().priority)) &&
                !is_wanted_near(request))
                found.victims.push_back(vm);
        }
        Take take;
        if (found.victims.empty() || !fits_without(index, found.victims, take)) return;
        std::sort(found.victims.begin(), found.victims.end(), [&](VmIndex a, VmIndex b) {
            const auto& x = *cluster_.vm(a).request;
            const auto& y = *cluster_.vm(b).request;
            return std::tuple(x.priority, -x.started.ms, std::string_view(x.vm)) <
                   std::tuple(y.priority, -y.started.ms, std::string_view(y.vm));
        });
        hosts_.push_back(std::move(found));
    }

    bool fits_without(HostIndex index, const std::vector<VmIndex>& gone, Take& take) const {
        const auto& host = cluster_.host(index);
        auto room = host.free;
        for (VmIndex vm : gone) vacate(room, cluster_.vm(vm).ask, cluster_.vm(vm).take);
        return first_take(filters_.ask(), room, host.capacity, take);
    }

    Price price_of(HostIndex host, const std::vector<VmIndex>& victims) const {
        constexpr std::int32_t kLeast = std::numeric_limits<std::int32_t>::min();
        Price price{victims.size(), kLeast, 0, 0, cluster_.host(host).rank};
        for (VmIndex vm : victims) {
            const auto& request = *cluster_.vm(vm).request;
            price.highest =
                std::max(price.highest,
                         mutant(MutantId::kHighestGoes) ? -request.priority : request.priority);
            price.priorities += request.priority;
            price.lost_work -= request.started.ms;
        }
        return price;
    }

    void offer(HostIndex host, const std::vector<VmIndex>& victims) {
        auto price = price_of(host, victims);
        if (best_ && !(price < best_price_)) return;
        Take take;
        if (!fits_without(host, victims, take)) return;
        best_ = Preemption{host, take, victims};
        best_price_ = price;
    }

    void try_sets(const HostVictims& host, int size) {
        std::vector<VmIndex> chosen;
        choose_from(host, size, 0, chosen);
    }

    void choose_from(const HostVictims& host, int left, std::size_t from,
                     std::vector<VmIndex>& chosen) {
        if (sets_tried_ > kSetsTried) return;
        if (left == 0) {
            ++sets_tried_;
            offer(host.host, chosen);
            return;
        }
        for (auto i = from; i < host.victims.size(); ++i) {
            chosen.push_back(host.victims[i]);
            choose_from(host, left - 1, i + 1, chosen);
            chosen.pop_back();
        }
    }

    // Lowest first until it fits, then those that turned out not to be needed stay, the highest
    // first.
    void try_lowest_first(const HostVictims& host) {
        std::vector<VmIndex> chosen;
        Take take;
        for (VmIndex vm : host.victims) {
            chosen.push_back(vm);
            if (fits_without(host.host, chosen, take)) break;
        }
        for (auto i = chosen.size(); i-- > 0;) {
            auto fewer = chosen;
            fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
            if (fits_without(host.host, fewer, take)) chosen = std::move(fewer);
        }
        offer(host.host, chosen);
    }

    const Cluster& cluster_;
    const Filters& filters_;
    std::vector<HostVictims> hosts_;
    std::int64_t sets_tried_ = 0;
    std::optional<Preemption> best_;
    Price best_price_;
};

}  // namespace

std::optional<Preemption> plan_preemption(const Cluster& cluster, const Request& request,
                                          const Policy& policy) {
    if (!validate(request)) return {};
    Filters filters(cluster, request, policy, strategy_for(request, policy));
    if (filters.quota()) return {};
    return Search(cluster, filters).run();
}

}  // namespace blixard::scheduler
