// What must hold on any cluster. BLIXARD_LONG=1 in the environment runs the differential test on
// 100,000 clusters.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>

#include "base/random.h"
#include "scheduler/batch.h"
#include "scheduler/plan.h"
#include "scheduler/rebalance.h"
#include "scheduler/remedy.h"
#include "scheduler/rules.h"
#include "scheduler/testing.h"

namespace blixard::scheduler {
namespace {

// A small random world: hosts of a few kinds, some VMs that lie there, a mix that has been seen.
struct World {
    std::vector<Host> hosts;
    std::vector<Request> arrivals;
};

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

Host random_host(Random& random, int number) {
    auto host = a_host("h" + std::to_string(number), pick(random, 0, 16),
                       pick(random, 0, 16) * 1024, pick(random, 0, 50) * 1024);
    if (random.chance(40)) {
        auto nodes = pick(random, 1, 3);
        for (std::int64_t i = 0; i < nodes; ++i)
            host.numa.push_back(
                {host.capacity.cpu_milli / nodes, host.capacity.memory_mib / nodes});
    }
    for (std::int64_t i = random.chance(30) ? pick(random, 1, 4) : 0; i > 0; --i)
        host.gpus.push_back({random.chance(50) ? "T4" : "A10", 1000});
    for (const char* kind : {"nic", "nvme"})
        if (random.chance(40))
            host.devices.push_back({kind, static_cast<std::int32_t>(pick(random, 1, 3))});
    host.zone = random.chance(50) ? "z1" : "z2";
    if (random.chance(50)) host.labels = {{"disk", random.chance(50) ? "ssd" : "hdd"}};
    if (random.chance(20)) host.features = {"nested"};
    if (random.chance(10)) host.state = HostState::kCordoned;
    if (random.chance(30)) host.overcommit = Overcommit::moderate();
    host.cost_per_hour = static_cast<double>(pick(random, 0, 4));
    return host;
}

Request random_request(Random& random, int number) {
    auto request =
        a_vm("v" + std::to_string(number), pick(random, 1, 8), pick(random, 1, 8) * 1024);
    if (random.chance(30)) request.need.disk_mib = pick(random, 1, 20) * 1024;
    if (random.chance(60)) request.strategy = static_cast<Strategy>(random.below(kStrategies));
    if (request.strategy == Strategy::kManual || random.chance(5))
        request.manual_host = "h" + std::to_string(random.below(6));
    request.numa = static_cast<NumaPolicy>(random.below(3));
    if (random.chance(15))
        request.gpu = {
            static_cast<std::int32_t>(pick(random, 1, 2)), random.chance(50) ? 1000 : 300, {}};
    if (random.chance(10)) request.gpu.models = {"T4"};
    for (const char* kind : {"nic", "nvme"})
        if (random.chance(10))
            request.devices.push_back({kind, static_cast<std::int32_t>(pick(random, 1, 2))});
    request.labels = {{"app", std::to_string(random.below(3))}};
    if (random.chance(25))
        request.affinities.push_back({{{}, {{"app", std::to_string(random.below(3))}}},
                                      random.chance(70),
                                      random.chance(60),
                                      random.chance(70) ? "host" : "zone",
                                      static_cast<std::int32_t>(pick(random, 1, 3))});
    if (random.chance(10)) request.host_labels = {{"disk", "ssd"}};
    if (random.chance(10)) request.features = {"nested"};
    if (random.chance(10)) request.zones.excluded = {"z2"};
    if (random.chance(10)) request.cost_max_per_hour = 1.0;
    request.priority = static_cast<std::int32_t>(pick(random, 0, 4)) * 250;
    request.preemptible = random.chance(30);
    return request;
}

World random_world(std::uint64_t seed) {
    SeededRandom random(seed);
    World world;
    for (auto i = pick(random, 1, 6); i > 0; --i)
        world.hosts.push_back(random_host(random, static_cast<int>(i) - 1));
    for (auto i = pick(random, 1, 14); i > 0; --i)
        world.arrivals.push_back(random_request(random, static_cast<int>(i)));
    return world;
}

Cluster cluster_of(const std::vector<Host>& hosts) {
    Cluster cluster;
    for (const auto& host : hosts) RC_ASSERT(cluster.upsert_host(host).has_value());
    return cluster;
}

// Places what fits, in order; calls look(cluster, request) before each.
template <class Look>
Cluster play(const World& world, const Look& look) {
    auto cluster = cluster_of(world.hosts);
    for (const auto& request : world.arrivals) {
        cluster.observe(request);
        look(cluster, request);
        if (auto spot = choose(cluster, request, {}))
            RC_ASSERT(cluster.place(shared(request), *spot).has_value());
    }
    return cluster;
}

// The obvious way: for each host ask every filter; count affinity by walking over all VMs.
bool obviously_fits(const Cluster& cluster, const Request& request, HostIndex index) {
    const auto& slot = cluster.host(index);
    const auto& spec = slot.spec;
    if (spec.state != HostState::kReady) return false;
    if (!request.manual_host.empty() && spec.name != request.manual_host) return false;
    for (const auto& zone : request.zones.excluded)
        if (zone == spec.zone) return false;
    for (const auto& label : request.host_labels)
        if (std::find(spec.labels.begin(), spec.labels.end(), label) == spec.labels.end())
            return false;
    for (const auto& feature : request.features)
        if (std::find(spec.features.begin(), spec.features.end(), feature) == spec.features.end())
            return false;
    auto total = effective(spec.capacity, spec.overcommit);
    if (request.cost_max_per_hour > 0) {
        double share = 1.0;
        if (total.cpu_milli > 0 && total.memory_mib > 0)
            share = std::max(
                static_cast<double>(request.need.cpu_milli) / static_cast<double>(total.cpu_milli),
                static_cast<double>(request.need.memory_mib) /
                    static_cast<double>(total.memory_mib));
        else if (total.cpu_milli > 0)
            share = std::max(1.0, static_cast<double>(request.need.cpu_milli) /
                                      static_cast<double>(total.cpu_milli));
        else if (total.memory_mib > 0)
            share = std::max(1.0, static_cast<double>(request.need.memory_mib) /
                                      static_cast<double>(total.memory_mib));
        if (spec.cost_per_hour * share > request.cost_max_per_hour) return false;
    }
    for (VmIndex vm : slot.vms) {
        const auto& need = cluster.vm(vm).request->need;
        total.cpu_milli -= need.cpu_milli;
        total.memory_mib -= need.memory_mib;
        total.disk_mib -= need.disk_mib;
    }
    if (request.need.cpu_milli > total.cpu_milli || request.need.memory_mib > total.memory_mib ||
        request.need.disk_mib > total.disk_mib)
        return false;
    auto nodes = static_cast<std::int64_t>(spec.numa.size());
    if (nodes > 0) {
        int whole = 0;
        int part = 0;
        bool ever_whole = false;
        for (std::int64_t i = 0; i < nodes; ++i) {
            auto free = effective({spec.numa[static_cast<std::size_t>(i)].cpu_milli,
                                   spec.numa[static_cast<std::size_t>(i)].memory_mib, 0},
                                  spec.overcommit);
            ever_whole |= request.need.cpu_milli <= free.cpu_milli &&
                          request.need.memory_mib <= free.memory_mib;
            for (VmIndex vm : slot.vms) {
                const auto& other = cluster.vm(vm);
                std::int64_t over = __builtin_popcount(other.take.numa);
                if ((other.take.numa >> i & 1) == 0) continue;
                free.cpu_milli -= (other.request->need.cpu_milli + over - 1) / over;
                free.memory_mib -= (other.request->need.memory_mib + over - 1) / over;
            }
            whole += request.need.cpu_milli <= free.cpu_milli &&
                     request.need.memory_mib <= free.memory_mib;
            part += (request.need.cpu_milli + nodes - 1) / nodes <= free.cpu_milli &&
                    (request.need.memory_mib + nodes - 1) / nodes <= free.memory_mib;
        }
        bool split = request.numa == NumaPolicy::kSplit ||
                     (request.numa == NumaPolicy::kAuto && !ever_whole);
        if (split ? part < nodes : whole == 0) return false;
    }
    if (request.gpu.count > 0) {
        int fitting = 0;
        for (std::size_t i = 0; i < spec.gpus.size(); ++i) {
            auto free = spec.gpus[i].milli;
            for (VmIndex vm : slot.vms)
                if ((cluster.vm(vm).take.gpus >> i & 1) != 0)
                    free -= cluster.vm(vm).request->gpu.milli_each;
            const auto& models = request.gpu.models;
            bool allowed = models.empty() || std::find(models.begin(), models.end(),
                                                       spec.gpus[i].model) != models.end();
            fitting += allowed && free >= request.gpu.milli_each;
        }
        if (fitting < request.gpu.count) return false;
    }
    const auto devices_of = [](const std::vector<Devices>& devices, const std::string& kind) {
        std::int32_t count = 0;
        for (const auto& device : devices) count += device.kind == kind ? device.count : 0;
        return count;
    };
    for (const auto& device : request.devices) {
        auto free = devices_of(spec.devices, device.kind);
        for (VmIndex vm : slot.vms)
            free -= devices_of(cluster.vm(vm).request->devices, device.kind);
        if (device.count > free) return false;
    }
    auto same_domain = [&](HostIndex other, const std::string& domain) {
        return domain == "host" ? other == index : cluster.host(other).spec.zone == spec.zone;
    };
    auto count = [&](const Affinity& rule, const std::string& except) {
        int here = 0;
        for (HostIndex other : cluster.hosts())
            for (VmIndex vm : cluster.host(other).vms) {
                const auto& one = *cluster.vm(vm).request;
                if (one.vm == except || one.vm == request.vm) continue;
                here += same_domain(other, rule.domain) && matches(rule.target, one);
            }
        return here;
    };
    int everywhere = 0;
    for (const auto& rule : request.affinities) {
        if (!rule.hard) continue;
        everywhere = 0;
        for (HostIndex other : cluster.hosts())
            for (VmIndex vm : cluster.host(other).vms)
                everywhere += matches(rule.target, *cluster.vm(vm).request);
        if (rule.anti && count(rule, {}) + 1 > rule.max_per_domain) return false;
        if (!rule.anti && count(rule, {}) == 0 &&
            !(everywhere == 0 && matches(rule.target, request)))
            return false;
    }
    for (HostIndex other : cluster.hosts())
        for (VmIndex vm : cluster.host(other).vms)
            for (const auto& rule : cluster.vm(vm).request->affinities)
                if (rule.hard && rule.anti && matches(rule.target, request) &&
                    same_domain(other, rule.domain) &&
                    count(rule, cluster.vm(vm).request->vm) + 2 > rule.max_per_domain)
                    return false;
    return true;
}

void agrees_with_the_obvious(const Cluster& cluster, const Request& request) {
    bool anywhere = false;
    for (HostIndex index : cluster.hosts()) {
        bool fits = obviously_fits(cluster, request, index);
        anywhere |= fits;
        RC_ASSERT(fits == why_not(cluster, request, cluster.host(index).spec.name, {})->empty());
    }
    auto spot = choose(cluster, request, {});
    auto decision = place(cluster, request, {});
    RC_ASSERT(spot.has_value() == anywhere);
    RC_ASSERT((decision.outcome == Outcome::kPlaced) == anywhere);
    if (!spot) return;
    RC_ASSERT(obviously_fits(cluster, request, spot->host));
    RC_ASSERT(cluster.host(spot->host).spec.name == decision.host);
    RC_ASSERT(spot->score == decision.score);
}

int clusters_to_try() { return std::getenv("BLIXARD_LONG") != nullptr ? 100'000 : 2'000; }

TEST(Differential, an_obvious_implementation_of_every_filter_agrees) {
    for (int seed = 1; seed <= clusters_to_try(); ++seed) {
        SCOPED_TRACE(seed);
        ASSERT_NO_THROW(
            play(random_world(static_cast<std::uint64_t>(seed)), agrees_with_the_obvious))
            << "seed " << seed;
    }
}

RC_GTEST_PROP(Property, no_host_is_ever_filled_over_its_capacity, (std::uint64_t seed)) {
    auto cluster = play(random_world(seed), [](const Cluster&, const Request&) {});
    for (HostIndex index : cluster.hosts()) {
        const auto& free = cluster.host(index).free;
        RC_ASSERT(free.cpu_milli >= 0 && free.memory_mib >= 0 && free.disk_mib >= 0);
        for (int i = 0; i < free.numa_count; ++i)
            RC_ASSERT(free.numa[i].cpu_milli >= 0 && free.numa[i].memory_mib >= 0);
        for (int i = 0; i < free.gpu_count; ++i) RC_ASSERT(free.gpu_milli[i] >= 0);
        for (int i = 0; i < free.device_count; ++i) RC_ASSERT(free.devices[i].count >= 0);
    }
}

RC_GTEST_PROP(Property, the_order_in_which_hosts_were_added_does_not_matter, (std::uint64_t seed)) {
    auto world = random_world(seed);
    std::vector<std::string> there;
    std::vector<std::string> back;
    play(world, [&](const Cluster& cluster, const Request& request) {
        there.push_back(place(cluster, request, {}).host);
    });
    std::reverse(world.hosts.begin(), world.hosts.end());
    play(world, [&](const Cluster& cluster, const Request& request) {
        back.push_back(place(cluster, request, {}).host);
    });
    RC_ASSERT(there == back);
}

RC_GTEST_PROP(Property, the_same_question_gets_the_same_answer, (std::uint64_t seed)) {
    const auto answers = [&] {
        std::vector<std::string> all;
        play(random_world(seed), [&](const Cluster& cluster, const Request& request) {
            const auto decision = place(cluster, request, {});
            all.push_back(fmt::format("{} {:.17g} {}", summary(decision), decision.score,
                                      decision.runners_up.size()));
        });
        return all;
    };
    RC_ASSERT(answers() == answers());
}

// The rules of those that have a place still hold when everything has been placed.
RC_GTEST_PROP(Property, no_hard_rule_is_ever_broken, (std::uint64_t seed)) {
    auto cluster = play(random_world(seed), [](const Cluster&, const Request&) {});
    const auto domain_of = [&](HostIndex host, const Affinity& rule) {
        return rule.domain == "host" ? cluster.host(host).spec.name : cluster.host(host).spec.zone;
    };
    for (HostIndex index : cluster.hosts())
        for (VmIndex vm : cluster.host(index).vms) {
            const auto& request = *cluster.vm(vm).request;
            const auto& host = cluster.host(index).spec;
            RC_ASSERT(host.state == HostState::kReady);
            for (const auto& label : request.host_labels)
                RC_ASSERT(std::count(host.labels.begin(), host.labels.end(), label) == 1);
            for (const auto& zone : request.zones.excluded) RC_ASSERT(zone != host.zone);
            for (const auto& rule : request.affinities) {
                if (!rule.hard || !rule.anti) continue;
                std::int32_t others = 0;
                for (HostIndex other : cluster.hosts())
                    for (VmIndex near : cluster.host(other).vms)
                        others += near != vm && domain_of(other, rule) == domain_of(index, rule) &&
                                  matches(rule.target, *cluster.vm(near).request);
                RC_ASSERT(others + 1 <= rule.max_per_domain);
            }
        }
}

// All of a world's VMs wait at once.
RC_GTEST_PROP(Property, a_batch_never_counts_the_same_room_twice, (std::uint64_t seed)) {
    auto world = random_world(seed);
    const auto decide = [&](bool backwards, bool waited_long) {
        auto cluster = cluster_of(world.hosts);
        Queue queue;
        Reservations reservations;
        Policy policy;
        auto arrivals = world.arrivals;
        for (const auto& request : arrivals) cluster.observe(request);
        if (backwards) std::reverse(arrivals.begin(), arrivals.end());
        for (const auto& request : arrivals) queue.put(shared(request), MonoTime{0});
        const MonoTime now{waited_long ? policy.reserve_after.count : 0};
        Placer placer;
        Batch batch(cluster, queue, reservations, placer, policy, now);
        std::vector<std::string> answers;
        while (queue.next()) {
            const auto decision = batch.decide();
            answers.push_back(summary(decision));
            if (decision.outcome == Outcome::kPreempts) RC_ASSERT(!decision.evictions.empty());
        }
        // Those that wait for victims to leave are counted over what is free: taken out again.
        for (const auto& request : arrivals)
            if (queue.contains(request.vm) && cluster.find_vm(request.vm) != kNoVm)
                RC_ASSERT(cluster.release(request.vm).has_value());
        for (HostIndex index : cluster.hosts()) {
            const auto& free = cluster.host(index).free;
            RC_ASSERT(free.cpu_milli >= 0 && free.memory_mib >= 0 && free.disk_mib >= 0);
            for (int i = 0; i < free.gpu_count; ++i) RC_ASSERT(free.gpu_milli[i] >= 0);
            for (int i = 0; i < free.device_count; ++i) RC_ASSERT(free.devices[i].count >= 0);
        }
        RC_ASSERT(cluster.reserved_count() == reservations.held().size());
        return answers;
    };
    RC_ASSERT(decide(false, false) == decide(true, false));
    decide(false, true);
}

// What one decision leaves for the next is memory alone.
RC_GTEST_PROP(Property, a_decision_does_not_depend_on_the_one_before_it, (std::uint64_t seed)) {
    Placer placer;
    play(random_world(seed), [&](const Cluster& cluster, const Request& request) {
        for (const bool preempts : {false, true}) {
            Policy policy;
            policy.preempt_always = preempts;
            RC_ASSERT(placer.place(cluster, request, policy, Remedies::kFound) ==
                      place(cluster, request, policy));
        }
        Request wrong = request;
        wrong.need.memory_mib = -1;
        RC_ASSERT(placer.place(cluster, wrong, {}, Remedies::kFound) == place(cluster, wrong, {}));
    });
}

// Every move of a plan is possible when its turn comes, and what it says is stuck is.
void carry_out(Cluster& cluster, const Plan& plan) {
    for (const auto& move : plan.moves) {
        const auto request = cluster.vm(cluster.find_vm(move.vm)).request;
        RC_ASSERT(cluster.host_of(move.vm) == move.from);
        RC_ASSERT(cluster.release(move.vm).has_value());
        RC_ASSERT(why_not(cluster, *request, move.to, {})->empty());
        RC_ASSERT(cluster.place(request, move.to, move.assignment).has_value());
    }
}

RC_GTEST_PROP(Property, a_drain_that_is_carried_out_gives_what_was_planned, (std::uint64_t seed)) {
    const auto world = random_world(seed);
    auto cluster = play(world, [](const Cluster&, const Request&) {});
    const std::vector<std::string> host{world.hosts.front().name};
    const auto plan = plan_drain(cluster, host, {});
    RC_ASSERT(plan.has_value());
    RC_ASSERT(cluster.set_host_state(host[0], HostState::kDraining).has_value());
    carry_out(cluster, *plan);
    RC_ASSERT(cluster.host(cluster.find_host(host[0])).vms.size() == plan->stuck.size());
    for (const auto& stuck : plan->stuck) RC_ASSERT(cluster.host_of(stuck.vm) == host[0]);
}

RC_GTEST_PROP(Property, a_launch_that_is_carried_out_gives_what_was_planned, (std::uint64_t seed)) {
    auto world = random_world(seed);
    auto cluster = play(world, [](const Cluster&, const Request&) {});
    auto request = world.arrivals.front();
    request.vm = "new";
    request.affinities.clear();
    const auto plan = plan_launch(cluster, request, 5, {});
    RC_ASSERT(plan.has_value());
    RC_ASSERT(plan->moves.size() + plan->stuck.size() == 5U);
    for (const auto& move : plan->moves) {
        auto one = request;
        one.vm = move.vm;
        const auto spot = choose(cluster, one, {});
        RC_ASSERT(spot.has_value());
        RC_ASSERT(cluster.host(spot->host).spec.name == move.to);
        RC_ASSERT(cluster.place(shared(one), *spot).has_value());
    }
    if (!plan->stuck.empty()) RC_ASSERT(!choose(cluster, request, {}).has_value());
}

// To the end: it ends by itself, and the room lost falls with every move.
RC_GTEST_PROP(Property, rebalancing_ends_and_breaks_nothing_on_the_way, (std::uint64_t seed)) {
    auto cluster = play(random_world(seed), [](const Cluster&, const Request&) {});
    const auto lost = [&] {
        double sum = 0.0;
        for (HostIndex index : cluster.hosts())
            sum += cluster.room_lost(cluster.host(index), cluster.host(index).free);
        return sum;
    };
    const auto plan = plan_rebalance(cluster, {}, 1'000'000);
    RC_ASSERT(plan.finished);
    for (const auto& gain : plan.moves) {
        const double before = lost();
        carry_out(cluster, {{gain.move}, {}});
        RC_ASSERT(gain.room >= kGainMin);
        RC_ASSERT(lost() <= before - kGainMin / 2);
    }
    RC_ASSERT(plan_rebalance(cluster, {}, 1).moves.empty());
}

// A VM whose rule counts on there being no such VM anywhere is the same with one more host.
RC_GTEST_PROP(Property, one_host_more_never_makes_a_vm_homeless, (std::uint64_t seed)) {
    play(random_world(seed), [&](const Cluster& cluster, const Request& request) {
        if (!choose(cluster, request, {})) return;
        auto larger = cluster;
        RC_ASSERT(larger.upsert_host(a_host("another", 4, 4096)).has_value());
        RC_ASSERT(choose(larger, request, {}).has_value());
    });
}

// "A host is added with so much free, and what else the VM requires."
Host host_for(const Request& request) {
    const auto name = request.manual_host.empty() ? "made-for-it" : request.manual_host;
    auto host = a_host(name, 0, request.need.memory_mib, request.need.disk_mib);
    host.capacity.cpu_milli = request.need.cpu_milli;
    host.zone = request.zones.preferred.empty() ? "z3" : request.zones.preferred.front();
    host.labels = request.host_labels;
    host.features = request.features;
    host.accelerator = request.accelerator;
    for (std::int32_t i = 0; i < request.gpu.count; ++i)
        host.gpus.push_back({request.gpu.models.empty() ? "T4" : request.gpu.models.front(), 1000});
    host.devices = request.devices;
    return host;
}

RC_GTEST_PROP(Property, what_would_fit_if_does_fit_when_it_is_done, (std::uint64_t seed)) {
    play(random_world(seed), [&](const Cluster& cluster, const Request& request) {
        for (const auto& remedy : place(cluster, request, {}).would_fit_if) {
            auto changed = cluster;
            auto asked = request;
            if (remedy.kind == Remedy::Kind::kShrink) {
                asked.need.cpu_milli -= remedy.less.cpu_milli;
                asked.need.memory_mib -= remedy.less.memory_mib;
                asked.need.disk_mib -= remedy.less.disk_mib;
            } else if (remedy.kind == Remedy::Kind::kUncordon ||
                       remedy.kind == Remedy::Kind::kHostBack) {
                RC_ASSERT(changed.set_host_state(remedy.host, HostState::kReady).has_value());
            } else if (remedy.kind == Remedy::Kind::kEvict) {
                for (const auto& vm : remedy.evict) RC_ASSERT(changed.release(vm).has_value());
            } else if (remedy.kind == Remedy::Kind::kDropRule) {
                asked = without_requirement(asked, remedy.rule);
                RC_ASSERT(!(asked == request));
            } else if (remedy.kind == Remedy::Kind::kAddHost) {
                const auto added = host_for(request);
                RC_ASSERT(changed.find_host(added.name) == kNoHost);
                RC_ASSERT(changed.upsert_host(added).has_value());
                RC_ASSERT(why_not(changed, asked, added.name, {})->empty());
                continue;
            } else {
                RC_FAIL("a remedy that nobody has tried");
            }
            RC_ASSERT(why_not(changed, asked, remedy.host, {})->empty());
        }
    });
}

}  // namespace
}  // namespace blixard::scheduler
