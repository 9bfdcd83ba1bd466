// A slow, obvious reference of every score beside the product, on random clusters. It keeps its own
// books (who lies where, what was asked for) and shares nothing with the product but the values in
// host.h and request.h; which hosts are refused is compared in properties_test.cc.
// BLIXARD_LONG=1 in the environment: 100,000 clusters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <set>

#include "base/random.h"
#include "scheduler/testing.h"

namespace blixard::scheduler {
namespace {

const std::string kPreferredZone = "z1";

// --- random worlds ---

struct World {
    std::vector<Host> hosts;
    std::vector<Request> arrivals;
    std::vector<bool> leaves;  // before that arrival the oldest VM goes
};

std::int64_t pick(Random& random, std::int64_t low, std::int64_t high) {
    return low +
           static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

Host random_host(Random& random, int number) {
    auto host = a_host("h" + std::to_string(number), pick(random, 4, 24),
                       pick(random, 2, 32) * 1024, pick(random, 0, 2) * 40 * 1024);
    auto nodes = random.chance(50) ? pick(random, 1, 3) : 0;
    for (std::int64_t i = 0; i < nodes; ++i)
        host.numa.push_back({host.capacity.cpu_milli / nodes, host.capacity.memory_mib / nodes});
    for (std::int64_t i = random.chance(50) ? pick(random, 1, 4) : 0; i > 0; --i)
        host.gpus.push_back({random.chance(60) ? "T4" : "A10", random.chance(85) ? 1000 : 500});
    if (random.chance(50)) host.devices = {{"nic", static_cast<std::int32_t>(pick(random, 1, 3))}};
    host.zone = random.chance(50) ? "z1" : "z2";
    if (random.chance(50)) host.labels = {{"rack", random.chance(50) ? "r1" : "r2"}};
    if (random.chance(10)) host.state = HostState::kCordoned;
    if (random.chance(20)) host.overcommit = Overcommit::moderate();
    host.cost_per_hour = static_cast<double>(pick(random, 0, 4));
    return host;
}

Request random_request(Random& random, int number) {
    auto request = a_vm("v" + std::to_string(number), pick(random, 1, 6), pick(random, 1, 6) * 512);
    if (random.chance(30)) request.need.disk_mib = pick(random, 1, 20) * 1024;
    if (random.chance(80)) request.strategy = static_cast<Strategy>(random.below(kStrategies));
    if (request.strategy == Strategy::kManual || random.chance(5))
        request.manual_host = "h" + std::to_string(random.below(5));
    request.numa = static_cast<NumaPolicy>(random.below(3));
    if (random.chance(50)) {
        constexpr std::int32_t kShares[] = {250, 300, 500, 650, 1000};
        request.gpu = {static_cast<std::int32_t>(random.chance(75) ? 1 : pick(random, 2, 3)),
                       kShares[random.below(5)],
                       {}};
        if (random.chance(25)) request.gpu.models = {random.chance(70) ? "T4" : "none-has-it"};
    }
    if (random.chance(20))
        request.devices = {{"nic", static_cast<std::int32_t>(pick(random, 1, 2))}};
    request.project = random.chance(70) ? "p" : "q";
    request.labels = {{"app", std::to_string(random.below(2))}};
    if (random.chance(30))
        request.affinities.push_back({{{}, {{"app", std::to_string(random.below(2))}}},
                                      random.chance(60),
                                      random.chance(20),
                                      random.chance(60) ? "host" : "zone",
                                      static_cast<std::int32_t>(pick(random, 1, 2)),
                                      static_cast<double>(pick(random, 1, 60))});
    if (!request.affinities.empty() && random.chance(50))
        request.affinities.back().target.project = random.chance(80) ? request.project : "q";
    if (random.chance(70)) request.zones.preferred = {kPreferredZone};
    if (random.chance(30)) request.zones.preferred.push_back("z2");
    constexpr const char* kDomains[] = {"zone", "host", "rack"};
    request.spread_domain = kDomains[random.below(3)];
    request.priority = static_cast<std::int32_t>(pick(random, 0, 4)) * 250;
    return request;
}

World random_world(std::uint64_t seed) {
    SeededRandom random(seed);
    World world;
    for (auto i = pick(random, 1, 5); i > 0; --i)
        world.hosts.push_back(random_host(random, static_cast<int>(i) - 1));
    for (auto i = pick(random, 1, 12); i > 0; --i) {
        world.arrivals.push_back(random_request(random, static_cast<int>(i)));
        world.leaves.push_back(random.chance(15));
    }
    return world;
}

// --- the reference ---

// Where a VM lies, in words.
struct Place {
    std::string host;
    Assignment assignment;
};

struct Lying {
    Request request;
    Place place;
};

struct Amounts {
    std::int64_t cpu = 0, memory = 0;
};

struct Free {
    std::int64_t cpu = 0, memory = 0, disk = 0, nics = 0;
    std::vector<Amounts> nodes;
    std::vector<std::int64_t> gpus;
};

constexpr double kEndless = 1e15;

double whole_times(std::int64_t free, std::int64_t need) {
    if (need == 0) return kEndless;
    return free > 0 ? static_cast<double>(free / need) : 0.0;
}

std::int64_t divided_up(std::int64_t amount, std::int64_t parts) {
    return (amount + parts - 1) / parts;
}

class Reference {
 public:
    explicit Reference(const World& world) {
        for (const auto& host : world.hosts) hosts_[host.name] = host;
    }

    void observe(const Request& request) {
        seen_.push_back(request);
        auto count = static_cast<std::int64_t>(seen_.size());
        if (count < publish_at_) return;
        publish_at_ = count + std::max<std::int64_t>(1, count / 4);
        usual_ = seen_;
        scarcity_ = scarcities();
    }

    void place(const Request& request, const Place& place) {
        lying_.push_back({request, place});
        last_used_[place.host] = ++placements_;
    }
    void leave_first() { lying_.erase(lying_.begin()); }
    const std::vector<Lying>& lying() const { return lying_; }
    const Host& host(const std::string& name) const { return hosts_.at(name); }

    Free empty(const Host& host) const {
        auto total = effective(host.capacity, host.overcommit);
        Free free{total.cpu_milli, total.memory_mib, total.disk_mib, nics(host.devices), {}, {}};
        for (const auto& node : host.numa) {
            auto part = effective({node.cpu_milli, node.memory_mib, 0}, host.overcommit);
            free.nodes.push_back({part.cpu_milli, part.memory_mib});
        }
        for (const auto& gpu : host.gpus) free.gpus.push_back(gpu.milli);
        return free;
    }

    Free free_on(const Host& host) const {
        auto free = empty(host);
        for (const auto& vm : lying_)
            if (vm.place.host == host.name) take(free, vm.request, vm.place.assignment);
        return free;
    }

    static std::int64_t nics(const std::vector<Devices>& devices) {
        return devices.empty() ? 0 : devices.front().count;
    }

    static void take(Free& free, const Request& request, const Assignment& assignment) {
        free.cpu -= request.need.cpu_milli;
        free.memory -= request.need.memory_mib;
        free.disk -= request.need.disk_mib;
        free.nics -= nics(request.devices);
        auto parts = static_cast<std::int64_t>(assignment.numa_nodes.size());
        for (auto node : assignment.numa_nodes) {
            auto& one = free.nodes[static_cast<std::size_t>(node)];
            one.cpu -= divided_up(request.need.cpu_milli, parts);
            one.memory -= divided_up(request.need.memory_mib, parts);
        }
        for (auto gpu : assignment.gpus)
            free.gpus[static_cast<std::size_t>(gpu)] -= request.gpu.milli_each;
    }

    // Every way in which the VM can lie on the host.
    std::vector<Assignment> ways(const Host& host, const Request& request) const {
        auto free = free_on(host);
        if (request.need.cpu_milli > free.cpu || request.need.memory_mib > free.memory ||
            request.need.disk_mib > free.disk || nics(request.devices) > free.nics)
            return {};
        std::vector<Assignment> ways;
        for (const auto& nodes : node_ways(host, request, free))
            for (const auto& gpus : gpu_ways(host, request, free)) ways.push_back({nodes, gpus});
        return ways;
    }

    // The score of one way, all parts together.
    double score(const Host& host, const Request& request, const Assignment& way,
                 Strategy strategy) const {
        return room_points(host, request, way, strategy) + place_points(host, request, strategy) -
               soft_penalty(host, request);
    }

    // Where the loss of room does not decide, the tightest GPU, then the tightest NUMA node.
    Assignment tightest(const Host& host, const std::vector<Assignment>& ways) const {
        auto free = free_on(host);
        auto under = [&](const Assignment& way) {
            std::int64_t gpus = 0;
            std::int64_t nodes = 0;
            for (auto gpu : way.gpus) gpus += free.gpus[static_cast<std::size_t>(gpu)];
            for (auto node : way.numa_nodes)
                nodes += free.nodes[static_cast<std::size_t>(node)].cpu +
                         free.nodes[static_cast<std::size_t>(node)].memory;
            return std::pair(gpus, nodes);
        };
        auto best = ways.front();
        for (const auto& way : ways)
            if (under(way) < under(best)) best = way;
        return best;
    }

 private:
    bool is_split(const Host& host, const Request& request) const {
        if (request.numa != NumaPolicy::kAuto) return request.numa == NumaPolicy::kSplit;
        for (const auto& node : empty(host).nodes)
            if (request.need.cpu_milli <= node.cpu && request.need.memory_mib <= node.memory)
                return false;
        return true;
    }

    std::vector<std::vector<std::int32_t>> node_ways(const Host& host, const Request& request,
                                                     const Free& free) const {
        if (free.nodes.empty()) return {{}};
        auto count = static_cast<std::int64_t>(free.nodes.size());
        auto holds = [](const Amounts& node, std::int64_t cpu, std::int64_t memory) {
            return cpu <= node.cpu && memory <= node.memory;
        };
        std::vector<std::vector<std::int32_t>> ways;
        if (is_split(host, request)) {
            std::vector<std::int32_t> all;
            for (std::int32_t i = 0; i < count; ++i) {
                if (!holds(free.nodes[static_cast<std::size_t>(i)],
                           divided_up(request.need.cpu_milli, count),
                           divided_up(request.need.memory_mib, count)))
                    return {};
                all.push_back(i);
            }
            return {all};
        }
        for (std::int32_t i = 0; i < count; ++i)
            if (holds(free.nodes[static_cast<std::size_t>(i)], request.need.cpu_milli,
                      request.need.memory_mib))
                ways.push_back({i});
        return ways;
    }

    static bool gpu_holds(const Host& host, const Request& request, const Free& free,
                          std::size_t gpu) {
        const auto& models = request.gpu.models;
        return free.gpus[gpu] >= request.gpu.milli_each &&
               (models.empty() ||
                std::find(models.begin(), models.end(), host.gpus[gpu].model) != models.end());
    }

    // One GPU: any that holds it. Several: the fullest ones that do.
    std::vector<std::vector<std::int32_t>> gpu_ways(const Host& host, const Request& request,
                                                    const Free& free) const {
        if (request.gpu.count == 0) return {{}};
        std::vector<std::int32_t> fitting;
        for (std::size_t i = 0; i < free.gpus.size(); ++i)
            if (gpu_holds(host, request, free, i)) fitting.push_back(static_cast<std::int32_t>(i));
        if (fitting.size() < static_cast<std::size_t>(request.gpu.count)) return {};
        if (request.gpu.count == 1) {
            std::vector<std::vector<std::int32_t>> ways;
            for (auto gpu : fitting) ways.push_back({gpu});
            return ways;
        }
        std::stable_sort(fitting.begin(), fitting.end(), [&](std::int32_t a, std::int32_t b) {
            return free.gpus[static_cast<std::size_t>(a)] < free.gpus[static_cast<std::size_t>(b)];
        });
        fitting.resize(static_cast<std::size_t>(request.gpu.count));
        std::sort(fitting.begin(), fitting.end());
        return {fitting};
    }

    double most_available(const Host& host, const Request& request) const {
        auto total = effective(host.capacity, host.overcommit);
        auto free = free_on(host);
        double sum = 0.0;
        double weights = 0.0;
        auto add = [&](double weight, std::int64_t left, std::int64_t whole) {
            if (whole <= 0) return;
            sum += weight * static_cast<double>(left) / static_cast<double>(whole);
            weights += weight;
        };
        add(1.0, free.cpu - request.need.cpu_milli, total.cpu_milli);
        add(1.0, free.memory - request.need.memory_mib, total.memory_mib);
        add(0.5, free.disk - request.need.disk_mib, total.disk_mib);
        return weights > 0 ? 100.0 * sum / weights : 0.0;
    }

    double room_points(const Host& host, const Request& request, const Assignment& way,
                       Strategy strategy) const {
        switch (strategy) {
            case Strategy::kMostAvailable: return most_available(host, request);
            case Strategy::kLeastAvailable: return 100.0 - most_available(host, request);
            case Strategy::kRoundRobin:
            case Strategy::kManual: return 0.0;
            case Strategy::kPriority: {
                double part = request.priority / 1000.0;
                return part * most_available(host, request) +
                       (1 - part) * (100.0 - most_available(host, request));
            }
            case Strategy::kSpread: return 0.01 * most_available(host, request);
            case Strategy::kCost: {
                auto total = effective(host.capacity, host.overcommit);
                double cpu = static_cast<double>(request.need.cpu_milli) /
                             static_cast<double>(total.cpu_milli);
                double memory = static_cast<double>(request.need.memory_mib) /
                                static_cast<double>(total.memory_mib);
                return -host.cost_per_hour * std::max(cpu, memory);
            }
            case Strategy::kLocality:
            case Strategy::kFragmentation: {
                auto before = free_on(host);
                auto after = before;
                take(after, request, way);
                double gain = room_lost(host, before) - room_lost(host, after);
                return host.gpus.empty() ? std::nearbyint(gain * 1048576.0) / 1048576.0 : gain;
            }
        }
        return 0.0;
    }

    std::optional<std::string> domain_of(const Host& host, const std::string& key) const {
        if (key == "zone") return host.zone;
        for (const auto& label : host.labels)
            if (label.key == key) return label.value;
        return {};
    }

    bool some_host_has(const std::string& key) const {
        return std::any_of(hosts_.begin(), hosts_.end(),
                           [&](const auto& one) { return domain_of(one.second, key).has_value(); });
    }

    double place_points(const Host& host, const Request& request, Strategy strategy) const {
        if (strategy == Strategy::kRoundRobin) {
            auto used = last_used_.find(host.name);
            return static_cast<double>(placements_ - (used == last_used_.end() ? 0 : used->second));
        }
        if (strategy == Strategy::kLocality) {
            const auto& zones = request.zones.preferred;
            if (zones.size() == 2) return host.zone == zones[0] ? 50.0 : 25.0;
            return zones.size() == 1 && host.zone == zones[0] ? 50.0 : 0.0;
        }
        if (strategy != Strategy::kSpread) return 0.0;
        int on_host = 0;
        int in_domain = 0;
        int everywhere = 0;
        for (const auto& vm : lying_) {
            bool same_group = vm.request.project == request.project;
            for (const auto& label : request.labels)
                same_group &=
                    std::count(vm.request.labels.begin(), vm.request.labels.end(), label) > 0;
            if (!same_group) continue;
            ++everywhere;
            on_host += vm.place.host == host.name;
            in_domain += domain_of(hosts_.at(vm.place.host), request.spread_domain) ==
                         domain_of(host, request.spread_domain);
        }
        double points = -10.0 * on_host / (1 + everywhere);
        if (request.spread_domain != "host" && some_host_has(request.spread_domain))
            points -= 100.0 * in_domain / (1 + everywhere);
        return points;
    }

    double soft_penalty(const Host& host, const Request& request) const {
        double lost = 0.0;
        for (const auto& rule : request.affinities) {
            if (rule.hard) continue;
            int here = 0;
            int everywhere = 0;
            for (const auto& vm : lying_) {
                const auto& label = rule.target.labels.front();
                if (std::count(vm.request.labels.begin(), vm.request.labels.end(), label) == 0)
                    continue;
                const auto& project = rule.target.project;
                if (!project.empty() && vm.request.project != project) continue;
                ++everywhere;
                here += rule.domain == "host" ? vm.place.host == host.name
                                              : hosts_.at(vm.place.host).zone == host.zone;
            }
            bool own_group =
                request.labels.front() == rule.target.labels.front() &&
                (rule.target.project.empty() || rule.target.project == request.project);
            if (rule.anti)
                lost += rule.weight * std::max(0, here + 1 - rule.max_per_domain);
            else if (here == 0 && !(everywhere == 0 && own_group))
                lost += rule.weight;
        }
        return lost;
    }

    // --- room lost to the usual mix ---

    double room_lost(const Host& host, const Free& free) const {
        if (usual_.empty()) return 0.0;
        bool any_wants_gpus = std::any_of(usual_.begin(), usual_.end(),
                                          [](const Request& one) { return one.gpu.count > 0; });
        return host.gpus.empty() || !any_wants_gpus ? cpus_lost(host, free)
                                                    : 16.0 * gpus_lost(host, free);
    }

    double copies(const Host& host, const Request& one, const Free& free) const {
        double most = std::min({whole_times(free.cpu, one.need.cpu_milli),
                                whole_times(free.memory, one.need.memory_mib),
                                whole_times(free.disk, one.need.disk_mib)});
        if (free.nodes.empty()) return most;
        auto nodes = static_cast<std::int64_t>(free.nodes.size());
        auto parts = is_split(host, one) ? nodes : 1;
        double sum = 0.0;
        double least = kEndless;
        for (const auto& node : free.nodes) {
            double here =
                std::min(whole_times(node.cpu, divided_up(one.need.cpu_milli, parts)),
                         whole_times(node.memory, divided_up(one.need.memory_mib, parts)));
            sum += here;
            least = std::min(least, here);
        }
        return std::min(most, is_split(host, one) ? least : sum);
    }

    double cpus_lost(const Host& host, const Free& free) const {
        double lost = 0.0;
        double cpus = 0.0;
        for (const auto& one : usual_) {
            auto cpu = static_cast<double>(one.need.cpu_milli);
            cpus += cpu;
            lost +=
                cpu * std::max(0.0, static_cast<double>(free.cpu) - copies(host, one, free) * cpu);
        }
        return lost / cpus / 1000.0;
    }

    // Thousandths on GPUs that one such VM could use, if it can run there at all.
    std::int64_t usable(const Host& host, const Request& one, const Free& free) const {
        if (one.need.cpu_milli > free.cpu || one.need.memory_mib > free.memory ||
            one.need.disk_mib > free.disk)
            return 0;
        std::int64_t sum = 0;
        int fitting = 0;
        for (std::size_t i = 0; i < free.gpus.size(); ++i)
            if (gpu_holds(host, one, free, i)) {
                ++fitting;
                sum += free.gpus[i];
            }
        return fitting >= one.gpu.count ? sum : 0;
    }

    // For each of the usual VMs that wants GPUs: one over what is free for it in the cluster.
    std::vector<double> scarcities() const {
        std::vector<double> scarcity;
        double sum = 0.0;
        int wanting = 0;
        for (const auto& one : usual_) {
            std::int64_t supply = 0;
            for (const auto& [name, host] : hosts_)
                if (host.state == HostState::kReady) supply += usable(host, one, free_on(host));
            bool counts = one.gpu.count > 0 && supply > 0;
            scarcity.push_back(
                counts ? 1.0 / static_cast<double>(std::max<std::int64_t>(1000, supply)) : 0.0);
            sum += scarcity.back();
            wanting += one.gpu.count > 0;
        }
        for (std::size_t i = 0; i < usual_.size(); ++i) {
            if (sum > 0)
                scarcity[i] /= sum;
            else
                scarcity[i] = usual_[i].gpu.count > 0 ? 1.0 / wanting : 0.0;
        }
        return scarcity;
    }

    double gpus_lost(const Host& host, const Free& free) const {
        double all = 0.0;
        for (auto gpu : free.gpus) all += static_cast<double>(gpu);
        double lost = 0.0;
        for (std::size_t i = 0; i < usual_.size(); ++i) {
            const auto& one = usual_[i];
            if (one.gpu.count == 0) continue;
            auto could = static_cast<double>(usable(host, one, free));
            double wants = one.gpu.count * one.gpu.milli_each;
            double fed = could;
            auto limit = [&](std::int64_t left, std::int64_t need) {
                if (need > 0)
                    fed = std::min(fed,
                                   static_cast<double>(left) / static_cast<double>(need) * wants);
            };
            if (could > 0) {
                limit(free.cpu, one.need.cpu_milli);
                limit(free.memory, one.need.memory_mib);
                limit(free.disk, one.need.disk_mib);
            }
            lost += scarcity_[i] * (all - could + 0.25 * (could - fed));
        }
        return lost / 1000.0;
    }

    std::map<std::string, Host> hosts_;
    std::vector<Lying> lying_;
    std::map<std::string, std::int64_t> last_used_;
    std::int64_t placements_ = 0;
    std::vector<Request> seen_;
    std::vector<Request> usual_;
    std::vector<double> scarcity_;
    std::int64_t publish_at_ = 1;
};

// --- the comparison ---

bool close(double a, double b) { return std::abs(a - b) <= 1e-7 * (1.0 + std::abs(a)); }

bool room_decides(Strategy strategy) {
    return strategy == Strategy::kFragmentation || strategy == Strategy::kLocality;
}

// The best score of the host; nothing if there is no way to lie there.
std::optional<double> best_score(const Reference& reference, const Host& host,
                                 const Request& request, Strategy strategy) {
    std::optional<double> best;
    for (const auto& way : reference.ways(host, request)) {
        double score = reference.score(host, request, way, strategy);
        if (!best || score > *best) best = score;
    }
    return best;
}

void check_assignment(const Reference& reference, const Host& host, const Request& request,
                      const Decision& decision) {
    auto ways = reference.ways(host, request);
    ASSERT_NE(std::find(ways.begin(), ways.end(), decision.assignment), ways.end());
    if (room_decides(decision.strategy))
        EXPECT_TRUE(close(reference.score(host, request, decision.assignment, decision.strategy),
                          *best_score(reference, host, request, decision.strategy)));
    else
        EXPECT_EQ(decision.assignment, reference.tightest(host, ways));
}

void check_scores(const Cluster& cluster, const Reference& reference, const Request& request,
                  const Decision& decision) {
    std::vector<Candidate> all{{decision.host, decision.score, decision.parts}};
    all.insert(all.end(), decision.runners_up.begin(), decision.runners_up.end());
    std::set<std::string> named;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto& one = all[i];
        auto expected = best_score(reference, reference.host(one.host), request, decision.strategy);
        ASSERT_TRUE(expected) << one.host;
        EXPECT_TRUE(close(one.score, *expected))
            << one.host << ": " << one.score << " is not " << *expected;
        double sum = 0.0;
        for (const auto& part : one.parts) sum += part.points;
        EXPECT_TRUE(close(one.score, sum)) << "the parts do not add up";
        named.insert(one.host);
        if (i > 0) {
            EXPECT_TRUE(all[i - 1].score > one.score ||
                        (all[i - 1].score == one.score && all[i - 1].host < one.host))
                << "not in order of score, then name";
        }
    }
    for (HostIndex index : cluster.hosts()) {
        const auto& name = cluster.host(index).spec.name;
        EXPECT_EQ(named.contains(name), why_not(cluster, request, name, {})->empty()) << name;
    }
}

// One world from its first arrival to its last.
void compare(const World& world) {
    Cluster cluster;
    for (const auto& host : world.hosts) ASSERT_TRUE(cluster.upsert_host(host));
    Reference reference(world);
    Policy policy;
    policy.runners_up = static_cast<std::int32_t>(world.hosts.size());
    for (std::size_t i = 0; i < world.arrivals.size(); ++i) {
        const auto& request = world.arrivals[i];
        if (world.leaves[i] && !reference.lying().empty()) {
            ASSERT_TRUE(cluster.release(reference.lying().front().request.vm));
            reference.leave_first();
        }
        cluster.observe(request);
        reference.observe(request);
        auto decision = place(cluster, request, policy);
        auto spot = choose(cluster, request, policy);
        ASSERT_EQ(spot.has_value(), decision.outcome == Outcome::kPlaced);
        if (!spot) continue;
        ASSERT_EQ(cluster.host(spot->host).spec.name, decision.host);
        EXPECT_EQ(cluster.assignment_of(spot->take), decision.assignment);
        EXPECT_EQ(spot->score, decision.score);
        check_scores(cluster, reference, request, decision);
        check_assignment(reference, reference.host(decision.host), request, decision);
        if (testing::Test::HasFailure()) return;
        ASSERT_TRUE(cluster.place(shared(request), *spot));
        reference.place(request, {decision.host, decision.assignment});
    }
}

int clusters_to_try() { return std::getenv("BLIXARD_LONG") != nullptr ? 100'000 : 2'000; }

TEST(Differential, an_obvious_implementation_of_every_score_agrees) {
    for (int seed = 1; seed <= clusters_to_try(); ++seed) {
        compare(random_world(static_cast<std::uint64_t>(seed)));
        ASSERT_FALSE(HasFailure()) << "seed " << seed;
    }
}

}  // namespace
}  // namespace blixard::scheduler
