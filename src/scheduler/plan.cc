#include "scheduler/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "scheduler/order.h"
#include "scheduler/place.h"

namespace blixard::scheduler {
namespace {

using Shared = std::shared_ptr<const Request>;

Status check_hosts(const Cluster& cluster, std::span<const std::string> hosts) {
    for (const auto& name : hosts)
        if (cluster.find_host(name) == kNoHost)
            return fail(ErrorCode::kNotFound, fmt::format("there is no host \"{}\" here", name),
                        "see: blixard node list");
    return {};
}

std::vector<Shared> vms_on(const Cluster& cluster, std::string_view host) {
    std::vector<Shared> vms;
    for (VmIndex vm : cluster.host(cluster.find_host(host)).vms)
        vms.push_back(cluster.vm(vm).request);
    return vms;
}

// The largest first among equals in priority: what is hard to place goes while there is room.
void sort_for_moving(std::vector<Shared>& vms) {
    std::sort(vms.begin(), vms.end(), [](const Shared& a, const Shared& b) {
        if (a->priority != b->priority) return a->priority > b->priority;
        if (a->need.cpu_milli != b->need.cpu_milli) return a->need.cpu_milli > b->need.cpu_milli;
        return goes_before(*a, *b);
    });
}

// `leaving`: hosts that are out of use in this plan; that they should not be is no advice.
void find_place(Cluster& cluster, const Shared& vm, const std::string& from, const Policy& policy,
                Plan& plan, std::span<const std::string> leaving = {}) {
    if (auto spot = choose(cluster, *vm, policy)) {
        plan.moves.push_back(
            {vm->vm, from, cluster.host(spot->host).spec.name, cluster.assignment_of(spot->take)});
        (void)cluster.place(vm, *spot);
        return;
    }
    auto decision = place(cluster, *vm, policy);
    std::erase_if(decision.would_fit_if, [&](const Remedy& remedy) {
        return (remedy.kind == Remedy::Kind::kUncordon || remedy.kind == Remedy::Kind::kHostBack) &&
               std::find(leaving.begin(), leaving.end(), remedy.host) != leaving.end();
    });
    plan.stuck.push_back({vm->vm, from, summary(decision)});
}

// Changes `cluster`: the hosts take this state, and their VMs go where they can.
Plan vacate_hosts(Cluster& cluster, std::span<const std::string> hosts, HostState state,
                  const Policy& policy) {
    Plan plan;
    for (const auto& name : hosts) (void)cluster.set_host_state(name, state);
    std::vector<Shared> vms;
    for (const auto& name : hosts)
        for (auto& vm : vms_on(cluster, name)) vms.push_back(std::move(vm));
    sort_for_moving(vms);
    if (state == HostState::kLost) {
        std::vector<std::string> from;
        for (const auto& vm : vms) from.push_back(cluster.host_of(vm->vm));
        for (const auto& vm : vms) (void)cluster.release(vm->vm);
        for (std::size_t i = 0; i < vms.size(); ++i)
            find_place(cluster, vms[i], from[i], policy, plan, hosts);
        return plan;
    }
    // A VM leaves a draining host only when it has somewhere to go: it stays, and counts, until
    // then.
    for (const auto& vm : vms) {
        auto index = cluster.find_vm(vm->vm);
        Spot old{cluster.vm(index).host, cluster.vm(index).take, 0.0};
        (void)cluster.release(vm->vm);
        auto stuck = plan.stuck.size();
        find_place(cluster, vm, cluster.host(old.host).spec.name, policy, plan, hosts);
        if (plan.stuck.size() > stuck) (void)cluster.place(vm, old);
    }
    return plan;
}

std::vector<std::string> host_names(const Cluster& cluster) {
    std::vector<std::string> names;
    for (HostIndex index : cluster.hosts())
        if (cluster.host(index).spec.state == HostState::kReady)
            names.push_back(cluster.host(index).spec.name);
    return names;
}

// C(n, k), or more than kLossSetsMax.
std::int64_t sets_of(std::int64_t n, std::int64_t k) {
    double sets = 1.0;
    for (std::int64_t i = 0; i < k; ++i)
        sets *= static_cast<double>(n - i) / static_cast<double>(i + 1);
    return sets > kLossSetsMax ? kLossSetsMax + 1 : static_cast<std::int64_t>(sets + 0.5);
}

class LossTrial {
 public:
    LossTrial(const Cluster& cluster, const Policy& policy, std::int64_t sets_most)
        : cluster_(cluster), policy_(policy), sets_most_(sets_most) {}

    void run(const std::vector<std::string>& names, std::size_t k) {
        std::vector<std::string> chosen;
        choose_from(names, k, 0, chosen);
    }
    Survival result;

 private:
    void choose_from(const std::vector<std::string>& names, std::size_t left, std::size_t from,
                     std::vector<std::string>& chosen) {
        if (result.sets_tried >= sets_most_) return;
        if (left == 0) {
            lose(chosen);
            return;
        }
        for (auto i = from; i + left <= names.size(); ++i) {
            chosen.push_back(names[i]);
            choose_from(names, left - 1, i + 1, chosen);
            chosen.pop_back();
        }
    }

    void lose(const std::vector<std::string>& chosen) {
        ++result.sets_tried;
        auto copy = cluster_;
        auto plan = vacate_hosts(copy, chosen, HostState::kLost, policy_);
        if (plan.stuck.size() <= result.stuck.size()) return;
        result.survives = false;
        result.worst = chosen;
        result.stuck = std::move(plan.stuck);
    }

    const Cluster& cluster_;
    const Policy& policy_;
    const std::int64_t sets_most_;
};

}  // namespace

Result<Plan> plan_drain(const Cluster& cluster, std::span<const std::string> hosts,
                        const Policy& policy) {
    RETURN_IF_ERROR(check_hosts(cluster, hosts));
    auto copy = cluster;
    return vacate_hosts(copy, hosts, HostState::kDraining, policy);
}

Result<Plan> plan_lose(const Cluster& cluster, std::span<const std::string> hosts,
                       const Policy& policy) {
    RETURN_IF_ERROR(check_hosts(cluster, hosts));
    auto copy = cluster;
    return vacate_hosts(copy, hosts, HostState::kLost, policy);
}

Result<Plan> plan_add(const Cluster& cluster, const Host& host, std::int64_t count,
                      std::span<const Shared> pending, const Policy& policy) {
    auto copy = cluster;
    for (std::int64_t i = 1; i <= count; ++i) {
        auto one = host;
        if (i > 1) one.name = fmt::format("{}-{}", host.name, i);
        if (cluster.find_host(one.name) != kNoHost)
            return fail(ErrorCode::kExists, fmt::format("there is a host {} already", one.name));
        RETURN_IF_ERROR(copy.upsert_host(std::move(one)));
    }
    std::vector<Shared> order(pending.begin(), pending.end());
    std::sort(order.begin(), order.end(),
              [](const Shared& a, const Shared& b) { return goes_before(*a, *b); });
    Plan plan;
    for (const auto& vm : order) find_place(copy, vm, {}, policy, plan);
    return plan;
}

Result<Plan> plan_launch(const Cluster& cluster, const Request& request, std::int64_t count,
                         const Policy& policy) {
    RETURN_IF_ERROR(validate(request));
    constexpr std::int64_t kLaunchMax = 100'000;
    if (count < 1 || count > kLaunchMax)
        return fail_field("count", fmt::format("{} VMs to launch", count),
                          fmt::format("use 1 to {}", kLaunchMax));
    auto copy = cluster;
    Plan plan;
    for (std::int64_t i = 1; i <= count; ++i) {
        auto vm = std::make_shared<Request>(request);
        vm->vm = fmt::format("{}-{}", request.vm, i);
        find_place(copy, vm, {}, policy, plan);
    }
    return plan;
}

std::vector<UpgradeStep> plan_upgrade(const Cluster& cluster, const Policy& policy) {
    auto copy = cluster;
    std::vector<UpgradeStep> steps;
    for (const auto& name : host_names(cluster)) {
        steps.push_back(
            {name, vacate_hosts(copy, std::span(&name, 1), HostState::kDraining, policy)});
        (void)copy.set_host_state(name, HostState::kReady);
    }
    return steps;
}

Result<Survival> survives_losses(const Cluster& cluster, std::int64_t k, const Policy& policy,
                                 std::int64_t sets_most) {
    auto names = host_names(cluster);
    if (k < 1 || k > static_cast<std::int64_t>(names.size()))
        return fail_field(
            "hosts",
            fmt::format("the loss of {} was asked about, and there {} {}", k,
                        names.size() == 1 ? "is" : "are", counted(names.size(), "host")),
            fmt::format("use 1 to {}", names.size()));
    LossTrial trial(cluster, policy, sets_most);
    trial.result.all_sets_tried = sets_of(static_cast<std::int64_t>(names.size()), k) <= sets_most;
    if (!trial.result.all_sets_tried)
        std::stable_sort(names.begin(), names.end(),
                         [&](const std::string& a, const std::string& b) {
                             auto used = [&](const std::string& name) {
                                 const auto& host = cluster.host(cluster.find_host(name));
                                 return host.capacity.cpu_milli - host.free.cpu_milli;
                             };
                             return used(a) > used(b);
                         });
    trial.run(names, static_cast<std::size_t>(k));
    return trial.result;
}

}  // namespace blixard::scheduler
