#include "scheduler/filters.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/counted.h"
#include "base/mutant.h"

namespace blixard::scheduler {
namespace {

std::string cpus(std::int64_t milli) {
    return milli % 1000 == 0 ? fmt::format("{}", milli / 1000)
                             : fmt::format("{:.3f}", static_cast<double>(milli) / 1000);
}

bool has(const std::vector<NameId>& sorted, NameId id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
}

double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 1.0;
}

}  // namespace

double price_per_hour(const Ask& ask, const HostSlot& host) {
    return host.spec.cost_per_hour * std::max(share(ask.cpu_milli, host.capacity.cpu_milli),
                                              share(ask.memory_mib, host.capacity.memory_mib));
}

std::optional<Failure> quota_failure(const Cluster& cluster, const Request& request,
                                     const Policy& policy) {
    auto found = policy.quota.find(request.project);
    if (found == policy.quota.end()) return {};
    const auto& quota = found->second;
    const auto& usage = cluster.usage(request.project);
    auto over = [&](std::int64_t limit, std::int64_t used, std::int64_t more, std::string_view what,
                    std::int64_t unit = 1) -> std::optional<Failure> {
        if (limit < 0 || used + more <= limit || more == 0) return {};
        const auto in_units = [unit](std::int64_t n) {
            return fmt::format("{:.15g}", static_cast<double>(n) / static_cast<double>(unit));
        };
        return Failure{Reason::kQuota, more, std::max<std::int64_t>(0, limit - used),
                       fmt::format("project {} uses {} of {} {}, this VM needs {}", request.project,
                                   in_units(used), in_units(limit), what, in_units(more))};
    };
    if (auto f = over(quota.vms, usage.vms, 1, "VMs")) return f;
    if (auto f =
            over(quota.limit.cpu_milli, usage.used.cpu_milli, request.need.cpu_milli, "CPUs", 1000))
        return f;
    if (auto f = over(quota.limit.memory_mib, usage.used.memory_mib, request.need.memory_mib,
                      "MiB of memory"))
        return f;
    if (auto f =
            over(quota.limit.disk_mib, usage.used.disk_mib, request.need.disk_mib, "MiB of disk"))
        return f;
    return over(
        quota.gpu_milli, usage.gpu_milli,
        std::int64_t{request.gpu.count} * (request.gpu.count > 0 ? request.gpu.milli_each : 0),
        "GPUs", 1000);
}

Filters::Filters(const Cluster& cluster, const Request& request, const Policy& policy,
                 Strategy strategy)
    : cluster_(cluster),
      request_(request),
      strategy_(strategy),
      ask_(cluster.ask_of(request)),
      rules_(cluster, request),
      quota_(quota_failure(cluster, request, policy)) {
    const auto& names = cluster.names();
    for (const auto& feature : request.features) features_.push_back(names.find(feature));
    for (const auto& label : request.host_labels)
        labels_.push_back(label_id(names.find(label.key), names.find(label.value)));
    if (!request.accelerator.empty()) accelerator_ = names.find(request.accelerator);
    looks_at_hosts_ = !labels_.empty() || !rules_.empty() || !request.excluded_hosts.empty() ||
                      !request.volume_pins.empty() || !request.zones.excluded.empty() ||
                      (strategy == Strategy::kLocality && request.zones.strict) ||
                      !request.manual_host.empty();
}

std::string_view Filters::unknown_host() const {
    const std::string& asked = request_.manual_host;
    if (asked.empty() || cluster_.find_host(asked) != kNoHost) return {};
    return asked;
}

bool Filters::zone_admits(const HostSlot& host) const {
    const auto& zones = request_.zones;
    if (!mutant(MutantId::kZoneIgnored) && std::find(zones.excluded.begin(), zones.excluded.end(),
                                                     host.spec.zone) != zones.excluded.end())
        return false;
    return strategy_ != Strategy::kLocality || !zones.strict ||
           zones.preference(host.spec.zone) > 0.0;
}

bool Filters::is_pinned_elsewhere(const HostSlot& host, const VolumePin** pin) const {
    for (const auto& one : request_.volume_pins)
        if (one.host != host.spec.name && !mutant(MutantId::kPinIgnored)) {
            *pin = &one;
            return true;
        }
    return false;
}

// For another VM, whose turn comes before this one's.
bool Filters::is_reserved(const HostSlot& host) const {
    if (!host.reservation || host.reservation->vm == request_.vm) return false;
    const auto& other = *host.reservation;
    return std::tuple(-other.priority, other.created.ms, std::string_view(other.vm)) <
           std::tuple(-request_.priority, request_.created.ms, std::string_view(request_.vm));
}

bool Filters::admits_kind(HostIndex index) const {
    const auto& host = cluster_.host(index);
    if (host.spec.state != HostState::kReady || is_reserved(host)) return false;
    if (!request_.accelerator.empty() && host.accelerator != accelerator_) return false;
    for (auto feature : features_)
        if (!has(host.features, feature)) return false;
    return request_.cost_max_per_hour == 0.0 ||
           price_per_hour(ask_, host) <= request_.cost_max_per_hour;
}

bool Filters::admits_host(HostIndex index) const {
    const auto& host = cluster_.host(index);
    if (!request_.manual_host.empty() && request_.manual_host != host.spec.name) return false;
    for (const auto& excluded : request_.excluded_hosts)
        if (excluded == host.spec.name) return false;
    const VolumePin* pin = nullptr;
    if (is_pinned_elsewhere(host, &pin)) return false;
    for (auto label : labels_)
        if (!std::binary_search(host.labels.begin(), host.labels.end(), label)) return false;
    return zone_admits(host) && rules_.admits(index);
}

void Filters::check(HostIndex index, Words wanted, std::vector<Failure>& found) const {
    found.clear();
    Failures failures(found, wanted);
    const auto& host = cluster_.host(index);
    if (!request_.manual_host.empty() && request_.manual_host != host.spec.name)
        failures.add(Reason::kNode, 0, 0, [&] {
            return fmt::format("the VM asks for host {}{}", request_.manual_host,
                               unknown_host().empty() ? "" : ", which is not known here");
        });
    check_state(host, failures);
    check_names(host, failures);
    check_kind(host, failures);
    if (quota_)
        failures.add(quota_->reason, quota_->needed, quota_->available,
                     [&] { return quota_->detail; });
    check_room(host, failures);
    check_devices(host, failures);
    check_gpus(host, failures);
    rules_.check(index, failures);
    if (is_reserved(host))
        failures.add(Reason::kReserved, 0, 0, [&] {
            return fmt::format("kept free for vm {}, which has waited long", host.reservation->vm);
        });
}

void Filters::check_state(const HostSlot& host, Failures& failures) const {
    switch (host.spec.state) {
        case HostState::kReady: return;
        case HostState::kCordoned:
            failures.add(Reason::kCordoned, 0, 0,
                         [&] { return std::string("cordoned: takes no new VMs"); });
            return;
        case HostState::kDraining:
            failures.add(Reason::kDraining, 0, 0,
                         [&] { return std::string("draining: its VMs move away"); });
            return;
        case HostState::kLost:
            failures.add(Reason::kLost, 0, 0,
                         [&] { return std::string("lost: its lease is gone"); });
            return;
    }
}

void Filters::check_names(const HostSlot& host, Failures& failures) const {
    const auto& spec = host.spec;
    for (const auto& excluded : request_.excluded_hosts)
        if (excluded == spec.name)
            failures.add(Reason::kExcluded, 0, 0,
                         [&] { return std::string("excluded by the request"); });
    const VolumePin* pin = nullptr;
    if (is_pinned_elsewhere(host, &pin))
        failures.add(Reason::kVolume, 0, 0, [&] {
            return fmt::format("volume {} is on host {}", pin->volume, pin->host);
        });
    if (!zone_admits(host))
        failures.add(Reason::kZone, 0, 0,
                     [&] { return fmt::format("zone {} is not allowed", spec.zone); });
    for (std::size_t i = 0; i < labels_.size(); ++i)
        if (!std::binary_search(host.labels.begin(), host.labels.end(), labels_[i]))
            failures.add(Reason::kLabel, 0, 0, [&] {
                return fmt::format("has no label {}={}", request_.host_labels[i].key,
                                   request_.host_labels[i].value);
            });
}

void Filters::check_kind(const HostSlot& host, Failures& failures) const {
    if (!request_.accelerator.empty() && host.accelerator != accelerator_)
        failures.add(Reason::kAccelerator, 0, 0, [&] {
            return fmt::format("accelerator is {}, needs {}",
                               host.spec.accelerator.empty() ? "unknown" : host.spec.accelerator,
                               request_.accelerator);
        });
    for (std::size_t i = 0; i < features_.size(); ++i)
        if (!has(host.features, features_[i]))
            failures.add(Reason::kFeature, 0, 0,
                         [&] { return fmt::format("has no feature {}", request_.features[i]); });
    if (request_.cost_max_per_hour == 0.0) return;
    double price = price_per_hour(ask_, host);
    if (price > request_.cost_max_per_hour)
        failures.add(Reason::kCost, 0, 0, [&] {
            return fmt::format("costs {:.4f} an hour there, cap {:.4f}", price,
                               request_.cost_max_per_hour);
        });
}

void Filters::check_room(const HostSlot& host, Failures& failures) const {
    const auto& free = host.free;
    if (ask_.cpu_milli > free.cpu_milli)
        failures.add(Reason::kCpu, ask_.cpu_milli, free.cpu_milli, [&] {
            return fmt::format("needs {} CPU{}, {} free", cpus(ask_.cpu_milli),
                               ask_.cpu_milli == 1000 ? "" : "s", cpus(free.cpu_milli));
        });
    if (ask_.memory_mib > free.memory_mib)
        failures.add(Reason::kMemory, ask_.memory_mib, free.memory_mib, [&] {
            return fmt::format("needs {} MiB of memory, {} free", ask_.memory_mib, free.memory_mib);
        });
    if (ask_.disk_mib > free.disk_mib)
        failures.add(Reason::kDisk, ask_.disk_mib, free.disk_mib, [&] {
            return fmt::format("needs {} MiB of disk, {} free", ask_.disk_mib, free.disk_mib);
        });
    if (free.numa_count == 0) return;
    auto bare = ask_;
    bare.gpu_count = 0;
    bare.device_count = 0;
    bare.disk_mib = 0;
    auto room = free;
    room.cpu_milli = std::max(room.cpu_milli, ask_.cpu_milli);
    room.memory_mib = std::max(room.memory_mib, ask_.memory_mib);
    room.disk_mib = 0;
    Take take;
    if (first_take(bare, room, host.capacity, take)) return;
    bool split = splits(ask_, host.capacity);
    auto part =
        split ? split_part(ask_, free.numa_count) : NumaRoom{ask_.cpu_milli, ask_.memory_mib};
    std::int64_t best = free.numa[0].cpu_milli;
    std::int64_t best_memory = free.numa[0].memory_mib;
    for (int i = 1; i < free.numa_count; ++i) {
        best =
            split ? std::min(best, free.numa[i].cpu_milli) : std::max(best, free.numa[i].cpu_milli);
        best_memory = split ? std::min(best_memory, free.numa[i].memory_mib)
                            : std::max(best_memory, free.numa[i].memory_mib);
    }
    failures.add(Reason::kNuma, part.cpu_milli, best, [&] {
        return fmt::format("needs {} CPUs and {} MiB on {}, {} CPUs and {} MiB there at {}",
                           cpus(part.cpu_milli), part.memory_mib,
                           split ? "every NUMA node" : "one NUMA node", cpus(best), best_memory,
                           split ? "least" : "most");
    });
}

void Filters::check_devices(const HostSlot& host, Failures& failures) const {
    for (int i = 0; i < ask_.device_count; ++i) {
        std::int32_t free = 0;
        for (int j = 0; j < host.free.device_count; ++j)
            if (host.free.devices[j].kind == ask_.devices[i].kind)
                free = host.free.devices[j].count;
        if (free < ask_.devices[i].count)
            failures.add(Reason::kDevice, ask_.devices[i].count, free, [&] {
                return fmt::format("needs {} of device {}, {} free", ask_.devices[i].count,
                                   request_.devices[static_cast<std::size_t>(i)].kind, free);
            });
    }
}

void Filters::check_gpus(const HostSlot& host, Failures& failures) const {
    if (ask_.gpu_count == 0) return;
    std::int32_t allowed = 0;
    std::int32_t free = 0;
    for (int i = 0; i < host.free.gpu_count; ++i) {
        if (!gpu_model_allowed(ask_, host.free.gpu_model[i])) continue;
        ++allowed;
        free += host.free.gpu_milli[i] >= ask_.gpu_milli ? 1 : 0;
    }
    if (free >= ask_.gpu_count) return;
    if (allowed < ask_.gpu_count && host.free.gpu_count >= ask_.gpu_count)
        failures.add(Reason::kGpuModel, ask_.gpu_count, allowed, [&] {
            return fmt::format("has {} of the allowed models, needs {}",
                               counted(std::int64_t{allowed}, "GPU"), ask_.gpu_count);
        });
    else
        failures.add(Reason::kGpu, ask_.gpu_count, free, [&] {
            return ask_.gpu_milli == 1000
                       ? fmt::format("needs {}, {} free",
                                     counted(std::int64_t{ask_.gpu_count}, "whole GPU"), free)
                       : fmt::format("needs {:g} % of {}, {} with so much free",
                                     ask_.gpu_milli / 10.0,
                                     counted(std::int64_t{ask_.gpu_count}, "GPU"), free);
        });
}

}  // namespace blixard::scheduler
