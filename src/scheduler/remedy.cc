#include "scheduler/remedy.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "scheduler/preempt.h"

namespace blixard::scheduler {
namespace {

bool is_room(Reason reason) {
    return reason == Reason::kCpu || reason == Reason::kMemory || reason == Reason::kDisk ||
           reason == Reason::kNuma;
}

bool is_requirement(Reason reason) {
    switch (reason) {
        case Reason::kExcluded:
        case Reason::kNode:
        case Reason::kZone:
        case Reason::kAccelerator:
        case Reason::kFeature:
        case Reason::kLabel:
        case Reason::kGpuModel:
        case Reason::kCost:
        case Reason::kAffinity:
        case Reason::kAntiAffinity: return true;
        default: return false;
    }
}

bool has_hard_affinity_to_host(const Request& request) {
    return std::any_of(request.affinities.begin(), request.affinities.end(),
                       [](const Affinity& rule) { return rule.hard && !rule.anti; });
}

constexpr int kDropsTried = 16;  // hosts: each costs as much as a decision begun anew

std::string amount_text(const Resources& less) {
    std::vector<std::string> parts;
    if (less.cpu_milli > 0)
        parts.push_back(fmt::format("{:g} CPU{}", static_cast<double>(less.cpu_milli) / 1000.0,
                                    less.cpu_milli == 1000 ? "" : "s"));
    auto size = [](std::int64_t mib) {
        return mib % 1024 == 0 ? fmt::format("{} GiB", mib / 1024) : fmt::format("{} MiB", mib);
    };
    if (less.memory_mib > 0) parts.push_back(size(less.memory_mib) + " less memory");
    if (less.disk_mib > 0) parts.push_back(size(less.disk_mib) + " less disk");
    if (less.cpu_milli > 0) parts[0] += " less";
    return fmt::format("{}", fmt::join(parts, " and "));
}

struct Shrink {
    Resources less;
    double pain = 0.0;  // sum of the parts of the request that are given up
};

double part(std::int64_t less, std::int64_t need) {
    return need > 0 ? static_cast<double>(less) / static_cast<double>(need) : 0.0;
}

// What people would ask for: whole CPUs where the VM has whole ones, whole GiB where there is one.
// 0 CPUs: nothing of the kind is left.
Ask rounded_down(Ask smaller, const Ask& ask) {
    constexpr std::int64_t kGib = 1024;
    if (ask.cpu_milli % 1000 == 0) smaller.cpu_milli -= smaller.cpu_milli % 1000;
    for (auto part : {&Ask::memory_mib, &Ask::disk_mib})
        if (smaller.*part < ask.*part && smaller.*part >= kGib)
            smaller.*part -= smaller.*part % kGib;
    return smaller;
}

// The ways in which the VM could be made small enough for this room; each is tried out by the
// caller.
std::vector<Ask> smaller_asks(const Ask& ask, const Room& room) {
    auto within = [&](std::int64_t cpu, std::int64_t memory) {
        auto smaller = ask;
        smaller.cpu_milli = std::min({ask.cpu_milli, room.cpu_milli, cpu});
        smaller.memory_mib = std::min({ask.memory_mib, room.memory_mib, memory});
        smaller.disk_mib = std::min(ask.disk_mib, room.disk_mib);
        return smaller;
    };
    std::vector<Ask> asks{within(INT64_MAX, INT64_MAX)};
    std::int64_t least_cpu = INT64_MAX;
    std::int64_t least_memory = INT64_MAX;
    for (int i = 0; i < room.numa_count; ++i) {
        asks.push_back(within(room.numa[i].cpu_milli, room.numa[i].memory_mib));
        least_cpu = std::min(least_cpu, room.numa[i].cpu_milli);
        least_memory = std::min(least_memory, room.numa[i].memory_mib);
    }
    if (room.numa_count > 0)
        asks.push_back(within(least_cpu * room.numa_count, least_memory * room.numa_count));
    return asks;
}

std::optional<Shrink> shrink_for(const Ask& ask, const HostSlot& host) {
    std::optional<Shrink> best;
    for (const auto& room : smaller_asks(ask, host.free)) {
        const Ask smaller = rounded_down(room, ask);
        Take take;
        if (smaller.cpu_milli < 1 || smaller.memory_mib < (ask.memory_mib > 0 ? 1 : 0) ||
            smaller.disk_mib < 0)
            continue;
        if (ask.disk_mib > 0 && smaller.disk_mib < 1) continue;
        if (!first_take(smaller, host.free, host.capacity, take)) continue;
        Shrink shrink{{ask.cpu_milli - smaller.cpu_milli, ask.memory_mib - smaller.memory_mib,
                       ask.disk_mib - smaller.disk_mib},
                      0.0};
        shrink.pain = part(shrink.less.cpu_milli, ask.cpu_milli) +
                      part(shrink.less.memory_mib, ask.memory_mib) +
                      part(shrink.less.disk_mib, ask.disk_mib);
        if (!best || shrink.pain < best->pain) best = shrink;
    }
    return best;
}

class Finder {
 public:
    Finder(const Cluster& cluster, const Filters& filters, const Policy& policy)
        : cluster_(cluster), filters_(filters), policy_(policy) {}

    std::vector<Remedy> run() {
        for (HostIndex index : cluster_.hosts()) look_at(index);
        evict();
        std::vector<Remedy> remedies;
        for (auto* one : {&shrink_, &uncordon_, &evict_, &drop_, &quota_, &host_back_})
            if (*one) remedies.push_back(**one);
        if (remedies.empty() && another_host_helps()) remedies.push_back(add_host());
        return remedies;
    }

 private:
    void look_at(HostIndex index) {
        const auto& host = cluster_.host(index);
        std::vector<Failure>& failures = failures_;
        filters_.check(index, Words::kNone, failures);
        if (failures.empty()) return;
        if (std::all_of(failures.begin(), failures.end(),
                        [](const Failure& one) { return is_room(one.reason); }))
            shrink_on(host);
        auto first = failures.front().reason;
        bool only = std::all_of(failures.begin(), failures.end(),
                                [&](const Failure& one) { return one.reason == first; });
        if (!only) return;
        const auto& name = host.spec.name;
        if (first == Reason::kCordoned && !uncordon_)
            uncordon_ = simple(Remedy::Kind::kUncordon, name, first, "cordon lifted on host {}");
        if (first == Reason::kDraining && !uncordon_)
            uncordon_ = simple(Remedy::Kind::kUncordon, name, first, "drain of host {} ended");
        if (first == Reason::kLost && !host_back_)
            host_back_ = simple(Remedy::Kind::kHostBack, name, first, "host {} is back");
        if (first == Reason::kQuota && !quota_)
            quota_ = {Remedy::Kind::kRaiseQuota,
                      name,
                      {},
                      {},
                      first,
                      fmt::format("quota raised: {}", filters_.quota()->detail)};
        if (is_requirement(first) && !drop_ && fits_without(index, first))
            drop_ = {Remedy::Kind::kDropRule,
                     name,
                     {},
                     {},
                     first,
                     fmt::format("without its {} requirement it fits host {}", reason_name(first),
                                 name)};
    }

    // The request without one kind of requirement, made ready to be asked.
    struct Without {
        Without(const Cluster& cluster, Request less, const Policy& policy, Strategy strategy)
            : request(std::move(less)), filters(cluster, request, policy, strategy) {}
        const Request request;
        const Filters filters;
    };

    static Remedy simple(Remedy::Kind kind, const std::string& host, Reason reason,
                         fmt::string_view text) {
        return {kind, host, {}, {}, reason, fmt::format(fmt::runtime(text), host)};
    }

    // Tried out: the rule that refuses may be another VM's.
    bool fits_without(HostIndex index, Reason reason) {
        if (drops_tried_ >= kDropsTried) return false;
        ++drops_tried_;
        auto& less = without_[reason];
        if (!less)
            less =
                std::make_unique<Without>(cluster_, without_requirement(filters_.request(), reason),
                                          policy_, filters_.strategy());
        std::vector<Failure> failures;
        less->filters.check(index, Words::kNone, failures);
        return failures.empty();
    }

    void shrink_on(const HostSlot& host) {
        auto shrink = shrink_for(filters_.ask(), host);
        if (!shrink || (shrink_ && shrink->pain >= shrink_pain_)) return;
        shrink_pain_ = shrink->pain;
        shrink_ = {Remedy::Kind::kShrink,
                   host.spec.name,
                   shrink->less,
                   {},
                   Reason::kCpu,
                   fmt::format("{} fits host {}", amount_text(shrink->less), host.spec.name)};
    }

    void evict() {
        auto plan = plan_preemption(cluster_, filters_.request(), policy_);
        if (!plan) return;
        Remedy remedy{Remedy::Kind::kEvict,
                      cluster_.host(plan->host).spec.name,
                      {},
                      {},
                      Reason::kCpu,
                      "evict "};
        for (VmIndex vm : plan->victims) {
            const auto& victim = *cluster_.vm(vm).request;
            remedy.text += fmt::format("{}{} (priority {})", remedy.evict.empty() ? "" : ", ",
                                       victim.vm, victim.priority);
            remedy.evict.push_back(victim.vm);
        }
        evict_ = std::move(remedy);
    }

    // It would have to be this host, a host with that VM, or the quota is used up.
    bool another_host_helps() const {
        const auto& request = filters_.request();
        const bool bound = !request.manual_host.empty() && filters_.unknown_host().empty();
        return request.volume_pins.empty() && !bound && !has_hard_affinity_to_host(request) &&
               !filters_.quota();
    }

    Remedy add_host() const {
        const auto& need = filters_.request().need;
        const auto name = filters_.unknown_host();
        return {
            Remedy::Kind::kAddHost,
            {},
            {},
            {},
            Reason::kCpu,
            fmt::format("a host{}{} is added with {:g} CPU{}, {} MiB of memory and {} MiB of disk "
                        "free, and what else the "
                        "VM requires",
                        name.empty() ? "" : " named ", name,
                        static_cast<double>(need.cpu_milli) / 1000.0,
                        need.cpu_milli == 1000 ? "" : "s", need.memory_mib, need.disk_mib)};
    }

    const Cluster& cluster_;
    const Filters& filters_;
    const Policy& policy_;
    std::optional<Remedy> shrink_, uncordon_, evict_, drop_, quota_, host_back_;
    std::map<Reason, std::unique_ptr<Without>> without_;
    std::vector<Failure> failures_;  // of one host
    int drops_tried_ = 0;
    double shrink_pain_ = 0.0;
};

}  // namespace

Request without_requirement(const Request& request, Reason reason) {
    Request less = request;
    switch (reason) {
        case Reason::kExcluded: less.excluded_hosts.clear(); break;
        case Reason::kNode:
            less.manual_host.clear();
            if (less.strategy == Strategy::kManual) less.strategy.reset();  // it needs a host
            break;
        case Reason::kZone: less.zones = {}; break;
        case Reason::kAccelerator: less.accelerator.clear(); break;
        case Reason::kFeature: less.features.clear(); break;
        case Reason::kLabel: less.host_labels.clear(); break;
        case Reason::kGpuModel: less.gpu.models.clear(); break;
        case Reason::kCost: less.cost_max_per_hour = 0.0; break;
        case Reason::kAffinity:
        case Reason::kAntiAffinity:
            std::erase_if(less.affinities, [&](const Affinity& rule) {
                return rule.hard && rule.anti == (reason == Reason::kAntiAffinity);
            });
            break;
        default: break;
    }
    return less;
}

std::vector<Remedy> find_remedies(const Cluster& cluster, const Filters& filters,
                                  const Policy& policy) {
    return Finder(cluster, filters, policy).run();
}

}  // namespace blixard::scheduler
