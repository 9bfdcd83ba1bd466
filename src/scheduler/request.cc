#include "scheduler/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace blixard::scheduler {
namespace {

constexpr std::int64_t kNeedMax = std::int64_t{1} << 50;
constexpr std::size_t kModelsMax = 8;
constexpr std::size_t kRulesMax = 64;  // per VM; each costs a walk over the VMs it speaks of
constexpr std::array<std::string_view, kStrategies> kNames = {
    "most-available", "least-available", "round-robin", "manual",        "priority",
    "locality",       "spread",          "cost",        "fragmentation",
};

std::string selector_text(const Selector& target) {
    if (!target.vm.empty()) return target.vm;
    std::string text;
    for (const auto& label : target.labels)
        text += fmt::format("{}{}={}", text.empty() ? "" : ",", label.key, label.value);
    return text;
}

Status check_rule(const Request& request, const Affinity& rule) {
    const auto& target = rule.target;
    if (target.vm.empty() == target.labels.empty())
        return fail_field("affinity",
                          fmt::format("vm {}: a rule must name either a VM or labels", request.vm));
    if (target.vm == request.vm)
        return fail_field("affinity", fmt::format("vm {}: a rule about itself", request.vm));
    if (rule.domain.empty())
        return fail_field("affinity.domain",
                          fmt::format("vm {}: a rule without a failure domain", request.vm),
                          "use host, zone, or the key of a host label");
    if (rule.anti && rule.max_per_domain < 1)
        return fail_field("affinity.max_per_node",
                          fmt::format("vm {}: max_per_node is {}", request.vm, rule.max_per_domain),
                          "use 1 or more");
    if (!std::isfinite(rule.weight) || rule.weight < 0 || rule.weight > 1e6)
        return fail_field("affinity.weight",
                          fmt::format("vm {}: weight {}", request.vm, rule.weight),
                          "use a number from 0 to 1000000");
    return {};
}

// "With these" and "not with these", both hard, over the same domain, can never both hold.
Status check_contradictions(const Request& request) {
    for (const auto& near : request.affinities) {
        if (near.anti || !near.hard) continue;
        for (const auto& far : request.affinities)
            if (far.anti && far.hard && far.target == near.target && far.domain == near.domain &&
                far.max_per_domain == 1)
                return fail_field(
                    "affinity",
                    fmt::format("vm {}: must be with {} and must not be with {} on one {}",
                                request.vm, selector_text(near.target), selector_text(far.target),
                                near.domain),
                    "drop one of the two rules, or make one soft");
    }
    return {};
}

}  // namespace

std::string_view strategy_name(Strategy strategy) {
    return kNames[static_cast<std::size_t>(strategy)];
}

Result<Strategy> parse_strategy(std::string_view name) {
    auto found = std::find(kNames.begin(), kNames.end(), name);
    if (found != kNames.end()) return static_cast<Strategy>(found - kNames.begin());
    return fail_field("strategy", fmt::format("unknown strategy \"{}\"", name),
                      fmt::format("use one of {}", fmt::join(kNames, ", ")));
}

Status validate(const Request& request) {
    if (request.vm.empty()) return fail_field("name", "a VM needs a name");
    const auto& need = request.need;
    if (need.cpu_milli <= 0 || need.cpu_milli > kNeedMax)
        return fail_field("cpus",
                          fmt::format("vm {}: {} thousandths of a CPU", request.vm, need.cpu_milli),
                          "ask for at least 1");
    if (need.memory_mib < 0 || need.memory_mib > kNeedMax)
        return fail_field("memory",
                          fmt::format("vm {}: {} MiB of memory", request.vm, need.memory_mib));
    if (need.disk_mib < 0 || need.disk_mib > kNeedMax)
        return fail_field("disks", fmt::format("vm {}: {} MiB of disk", request.vm, need.disk_mib));
    if (request.priority < 0 || request.priority > 1000)
        return fail_field("priority",
                          fmt::format("vm {}: priority {}", request.vm, request.priority),
                          "use 0 to 1000");
    if (request.gpu.count < 0 || request.gpu.count > static_cast<std::int32_t>(kGpusMax))
        return fail_field("gpu.count", fmt::format("vm {}: {} GPUs", request.vm, request.gpu.count),
                          fmt::format("use 0 to {}", kGpusMax));
    if (request.gpu.count > 0 && (request.gpu.milli_each < 1 || request.gpu.milli_each > 1000))
        return fail_field(
            "gpu.milli",
            fmt::format("vm {}: {} thousandths of a GPU", request.vm, request.gpu.milli_each),
            "use 1 to 1000");
    if (request.gpu.models.size() > kModelsMax)
        return fail_field(
            "gpu.models",
            fmt::format("vm {}: {} GPU models", request.vm, request.gpu.models.size()),
            fmt::format("name at most {}", kModelsMax));
    if (request.devices.size() > kDeviceKindsMax)
        return fail_field("devices", fmt::format("vm {}: {} kinds of device", request.vm,
                                                 request.devices.size()));
    for (const auto& device : request.devices)
        if (device.count < 1 || device.count > 1024)
            return fail_field(
                "devices",
                fmt::format("vm {}: {} devices of kind {}", request.vm, device.count, device.kind),
                "use 1 to 1024");
    if (!std::isfinite(request.cost_max_per_hour) || request.cost_max_per_hour < 0)
        return fail_field("cost",
                          fmt::format("vm {}: cost cap {}", request.vm, request.cost_max_per_hour));
    if (request.strategy == Strategy::kManual && request.manual_host.empty())
        return fail_field("strategy",
                          fmt::format("vm {}: strategy manual without a host", request.vm),
                          "name the host, or take another strategy");
    if (request.affinities.size() > kRulesMax)
        return fail_field("affinity",
                          fmt::format("vm {}: {} rules", request.vm, request.affinities.size()),
                          fmt::format("use at most {}", kRulesMax));
    for (const auto& rule : request.affinities) RETURN_IF_ERROR(check_rule(request, rule));
    return check_contradictions(request);
}

}  // namespace blixard::scheduler
