#include "scheduler/scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace blixard::scheduler {
namespace {

constexpr double kSpreadPoints = 100.0;     // a whole failure domain outweighs
constexpr double kSpreadHostPoints = 10.0;  // a host, which outweighs
constexpr double kSpreadRoomPoints = 0.01;  // the room left

double part(std::int64_t amount, std::int64_t whole) {
    return static_cast<double>(amount) / static_cast<double>(whole);
}

// Where the room is measured by totals, the VM goes to the tightest NUMA node and GPU that hold it
// (best fit).
Take tightest(const Room& room, const Takes& takes) {
    auto room_under = [&](Take take) {
        std::int64_t free = 0;
        for (int i = 0; i < room.numa_count; ++i)
            if ((take.numa >> i & 1) != 0) free += room.numa[i].cpu_milli + room.numa[i].memory_mib;
        std::int64_t gpu = 0;
        for (int i = 0; i < room.gpu_count; ++i)
            if ((take.gpus >> i & 1) != 0) gpu += room.gpu_milli[i];
        return std::pair(gpu, free);
    };
    return *std::min_element(takes.options.begin(), takes.options.begin() + takes.count,
                             [&](Take a, Take b) { return room_under(a) < room_under(b); });
}

// Two rooms that lose equally much must tie, whatever the last bits of their sums: to a millionth
// of a CPU.
double without_noise(double points) {
    constexpr double kSteps = 1 << 20;
    return std::nearbyint(points * kSteps) / kSteps;
}

bool needs_room_lost(Strategy strategy) {
    return strategy == Strategy::kFragmentation || strategy == Strategy::kLocality;
}

// Null: the room does not count.
const char* name_of_room_part(Strategy strategy) {
    switch (strategy) {
        case Strategy::kMostAvailable: return "percent free after";
        case Strategy::kLeastAvailable: return "percent used after";
        case Strategy::kPriority: return "percent free and used, by priority";
        case Strategy::kSpread: return "room left";
        case Strategy::kCost: return "price per hour";
        case Strategy::kLocality:
        case Strategy::kFragmentation: return "room lost";
        case Strategy::kRoundRobin:
        case Strategy::kManual: return nullptr;
    }
    return nullptr;
}

}  // namespace

Scores::Scores(const Cluster& cluster, const Filters& filters, const Policy& policy)
    : cluster_(cluster), filters_(filters), policy_(policy), strategy_(filters.strategy()) {
    if (strategy_ == Strategy::kSpread) count_spread();
    looks_at_hosts_ =
        strategy_ == Strategy::kRoundRobin || strategy_ == Strategy::kSpread ||
        (strategy_ == Strategy::kLocality && !filters.request().zones.preferred.empty()) ||
        filters.rules().any_soft();
}

// The group that is spread: the project's VMs that carry all labels of this one.
void Scores::count_spread() {
    const auto& request = filters_.request();
    Selector group{{}, request.labels};
    spread_key_ =
        request.spread_domain == "host" ? kNoName : cluster_.names().find(request.spread_domain);
    for (HostIndex index : cluster_.hosts()) {
        const auto& host = cluster_.host(index);
        std::int32_t count = 0;
        for (VmIndex vm : host.vms) {
            const auto& other = *cluster_.vm(vm).request;
            count +=
                other.project == request.project && other.vm != request.vm && matches(group, other)
                    ? 1
                    : 0;
        }
        if (spread_hosts_.size() <= index) spread_hosts_.resize(index + 1);
        spread_hosts_[index] = count;
        spread_total_ += count;
        if (spread_key_ == kNoName || count == 0) continue;
        auto domain = cluster_.label_value(host, spread_key_);
        auto found = std::find_if(spread_domains_.begin(), spread_domains_.end(),
                                  [&](const auto& one) { return one.first == domain; });
        if (found == spread_domains_.end()) found = spread_domains_.insert(found, {domain, 0});
        found->second += count;
    }
}

double Scores::most_available(const HostSlot& host) const {
    const auto& ask = filters_.ask();
    double points = 0.0;
    double weights = 0.0;
    auto add = [&](double weight, std::int64_t free, std::int64_t need, std::int64_t whole) {
        if (whole <= 0) return;
        points += weight * part(free - need, whole);
        weights += weight;
    };
    add(policy_.weight_cpu, host.free.cpu_milli, ask.cpu_milli, host.capacity.cpu_milli);
    add(policy_.weight_memory, host.free.memory_mib, ask.memory_mib, host.capacity.memory_mib);
    add(policy_.weight_disk, host.free.disk_mib, ask.disk_mib, host.capacity.disk_mib);
    return weights > 0 ? 100.0 * points / weights : 0.0;
}

double Scores::fragmentation(const HostSlot& host, Take take) const {
    auto after = host.free;
    occupy(after, filters_.ask(), take);
    double gain = cluster_.room_lost(host, host.free) - cluster_.room_lost(host, after);
    return host.capacity.gpu_count > 0 ? gain : without_noise(gain);
}

double Scores::of_take(const HostSlot& host, Take take) const {
    switch (strategy_) {
        case Strategy::kMostAvailable: return most_available(host);
        case Strategy::kLeastAvailable: return 100.0 - most_available(host);
        case Strategy::kRoundRobin:
        case Strategy::kManual: return 0.0;
        case Strategy::kPriority: {
            double high = filters_.request().priority / 1000.0;
            double most = most_available(host);
            return high * most + (1.0 - high) * (100.0 - most);
        }
        case Strategy::kSpread: return kSpreadRoomPoints * most_available(host);
        case Strategy::kCost: return -price_per_hour(filters_.ask(), host);
        case Strategy::kLocality:
        case Strategy::kFragmentation: return fragmentation(host, take);
    }
    return 0.0;
}

double Scores::of_room(const HostSlot& host, const Takes& takes, Take& best) const {
    if (!needs_room_lost(strategy_)) {
        best = takes.count == 1 ? takes.options[0] : tightest(host.free, takes);
        return of_take(host, best);
    }
    best = takes.options[0];
    double score = of_take(host, best);
    for (int i = 1; i < takes.count; ++i) {
        double other = of_take(host, takes.options[i]);
        if (other <= score) continue;
        score = other;
        best = takes.options[i];
    }
    return score;
}

double Scores::of_host(HostIndex index, std::vector<ScorePart>* parts) const {
    const auto& host = cluster_.host(index);
    double points = 0.0;
    auto add = [&](const char* name, double value) {
        points += value;
        if (parts != nullptr) parts->push_back({name, value});
    };
    if (strategy_ == Strategy::kRoundRobin)
        add("placements since it was last used",
            static_cast<double>(cluster_.placements() - host.last_placed));
    if (strategy_ == Strategy::kLocality && !filters_.request().zones.preferred.empty())
        add("preferred zone",
            policy_.zone_points * filters_.request().zones.preference(host.spec.zone));
    if (strategy_ == Strategy::kSpread) {
        double total = 1.0 + spread_total_;
        if (spread_key_ != kNoName) {
            auto domain = cluster_.label_value(host, spread_key_);
            std::int32_t count = 0;
            for (const auto& one : spread_domains_)
                if (one.first == domain) count = one.second;
            add("of its group in the failure domain", -kSpreadPoints * count / total);
        }
        add("of its group on the host", -kSpreadHostPoints * spread_hosts_[index] / total);
    }
    if (filters_.rules().any_soft()) points -= filters_.rules().penalty(index, parts);
    return points;
}

void Scores::explain_room(const HostSlot& host, Take take, std::vector<ScorePart>& parts) const {
    if (const char* name = name_of_room_part(strategy_))
        parts.push_back({name, of_take(host, take)});
}

}  // namespace blixard::scheduler
