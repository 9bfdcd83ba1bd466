#include "scheduler/host.h"

#include <fmt/format.h>

#include <cmath>

#include "base/mutant.h"

namespace blixard::scheduler {
namespace {

constexpr std::int64_t kAmountMax = std::int64_t{1} << 50;  // sums of these can never overflow

std::int64_t scaled(std::int64_t physical, double ratio, double reserve) {
    return static_cast<std::int64_t>(
        std::floor(static_cast<double>(physical) * ratio * (1.0 - reserve) + 1e-6));
}

Status check_ratio(const Host& host, const char* field, double ratio) {
    if (ratio > 0 && ratio <= kOvercommitMax) return {};
    return fail_field(fmt::format("overcommit.{}", field),
                      fmt::format("host {}: overcommit {} of {} is not between 0 and {}", host.name,
                                  field, ratio, kOvercommitMax),
                      "use a profile: conservative, moderate or aggressive");
}

Status check_amount(const Host& host, const char* field, std::int64_t amount) {
    if (amount >= 0 && amount <= kAmountMax) return {};
    return fail_field(field, fmt::format("host {}: {} is {}", host.name, field, amount));
}

Status check_count(const Host& host, const char* field, std::size_t found, std::size_t most) {
    if (found <= most) return {};
    return fail_field(field, fmt::format("host {}: {} {} reported, at most {} are supported",
                                         host.name, found, field, most));
}

}  // namespace

Result<Overcommit> parse_overcommit(std::string_view profile) {
    if (profile == "none") return Overcommit::none();
    if (profile == "conservative") return Overcommit::conservative();
    if (profile == "moderate") return Overcommit::moderate();
    if (profile == "aggressive") return Overcommit::aggressive();
    return fail_field("overcommit", fmt::format("unknown overcommit profile \"{}\"", profile),
                      "use conservative, moderate, aggressive or none");
}

Resources effective(const Resources& physical, const Overcommit& overcommit) {
    const auto reserve = mutant(MutantId::kReserveForgotten) ? 0 : overcommit.reserve;
    return {scaled(physical.cpu_milli, overcommit.cpu, reserve),
            scaled(physical.memory_mib, overcommit.memory, reserve),
            scaled(physical.disk_mib, overcommit.disk, reserve)};
}

std::string_view host_state_name(HostState state) {
    switch (state) {
        case HostState::kReady: return "ready";
        case HostState::kCordoned: return "cordoned";
        case HostState::kDraining: return "draining";
        case HostState::kLost: return "lost";
    }
    return "unknown";
}

Status validate(const Host& host) {
    if (host.name.empty()) return fail_field("name", "a host needs a name");
    RETURN_IF_ERROR(check_amount(host, "cpu", host.capacity.cpu_milli));
    RETURN_IF_ERROR(check_amount(host, "memory", host.capacity.memory_mib));
    RETURN_IF_ERROR(check_amount(host, "disk", host.capacity.disk_mib));
    RETURN_IF_ERROR(check_ratio(host, "cpu", host.overcommit.cpu));
    RETURN_IF_ERROR(check_ratio(host, "memory", host.overcommit.memory));
    RETURN_IF_ERROR(check_ratio(host, "disk", host.overcommit.disk));
    if (!(host.overcommit.reserve >= 0 && host.overcommit.reserve < 1))
        return fail_field("overcommit.reserve",
                          fmt::format("host {}: reserve {} is not a part of a host", host.name,
                                      host.overcommit.reserve),
                          "give a number from 0 to below 1, 0.1 for 10 %");
    RETURN_IF_ERROR(check_count(host, "numa", host.numa.size(), kNumaNodesMax));
    RETURN_IF_ERROR(check_count(host, "gpus", host.gpus.size(), kGpusMax));
    RETURN_IF_ERROR(check_count(host, "devices", host.devices.size(), kDeviceKindsMax));
    for (const auto& node : host.numa) {
        RETURN_IF_ERROR(check_amount(host, "numa", node.cpu_milli));
        RETURN_IF_ERROR(check_amount(host, "numa", node.memory_mib));
    }
    for (const auto& gpu : host.gpus)
        if (gpu.milli < 0 || gpu.milli > 1000)
            return fail_field(
                "gpus", fmt::format("host {}: a GPU of {} thousandths", host.name, gpu.milli));
    for (const auto& device : host.devices)
        RETURN_IF_ERROR(check_amount(host, "devices", device.count));
    if (!std::isfinite(host.cost_per_hour) || host.cost_per_hour < 0)
        return fail_field("cost_per_hour",
                          fmt::format("host {}: cost {}", host.name, host.cost_per_hour));
    return {};
}

}  // namespace blixard::scheduler
