#include "scheduler/place.h"

#include <fmt/format.h>

#include <algorithm>

#include "scheduler/filters.h"
#include "scheduler/scores.h"

namespace blixard::scheduler {
namespace {

bool better(const Cluster& cluster, const Spot& a, const Spot& b) {
    if (a.score != b.score) return a.score > b.score;
    return cluster.host(a.host).rank < cluster.host(b.host).rank;
}

std::optional<Spot> spot_on(const Cluster& cluster, const Filters& filters, const Scores& scores,
                            HostIndex index) {
    Takes takes;
    const auto& host = cluster.host(index);
    if (filters.quota() || !filters.admits(index)) return {};
    list_takes(filters.ask(), host.free, host.capacity, takes);
    if (takes.count == 0) return {};
    Spot spot{index, {}, 0.0};
    spot.score = scores.of_room(host, takes, spot.take) + scores.of_host(index, nullptr);
    return spot;
}

// True if the decision depends on nothing but the flavour and the shapes, so that columns can be
// kept for it.
bool is_plain(const Filters& filters, const Scores& scores) {
    const auto& request = filters.request();
    return filters.strategy() == Strategy::kFragmentation && !filters.looks_at_hosts() &&
           !scores.looks_at_hosts() && request.features.empty() && request.cost_max_per_hour == 0.0;
}

std::optional<double> judge(const Cluster& cluster, const Filters& filters, const Scores& scores,
                            HostIndex index) {
    const auto& host = cluster.host(index);
    if (!filters.admits_kind(index)) return {};
    Takes takes;
    list_takes(filters.ask(), host.free, host.capacity, takes);
    if (takes.count == 0) return {};
    Take take;
    return scores.of_room(host, takes, take);
}

std::optional<Spot> best_of_shapes(const Cluster& cluster, const Filters& filters,
                                   const Scores& scores) {
    auto flavour = hash_of({ask_hash(filters.ask()), filters.accelerator(), filters.request().accelerator.empty()});
    auto host = cluster.shapes().best(flavour, cluster.mix().edition(), [&](HostIndex index) {
        return judge(cluster, filters, scores, index);
    });
    if (host == kNoHost) return {};
    return spot_on(cluster, filters, scores, host);
}

// Every host, but the room of each shape is judged once.
std::optional<Spot> best_of_hosts(const Cluster& cluster, const Filters& filters,
                                  const Scores& scores) {
    auto& shapes = cluster.shapes();
    auto decision = shapes.new_decision();
    Spot best;
    for (HostIndex index : cluster.hosts()) {
        auto shape = shapes.of(index);
        if (shape == kNoShape) continue;
        auto& note = shapes.note(shape);
        if (note.decision != decision) {
            auto score = judge(cluster, filters, scores, index);
            note = {decision, score.has_value(), score.value_or(0.0)};
        }
        if (!note.fits || (filters.looks_at_hosts() && !filters.admits_host(index))) continue;
        double score =
            scores.looks_at_hosts() ? note.score + scores.of_host(index, nullptr) : note.score;
        if (best.host == kNoHost || score > best.score)
            best = {index, {}, score};  // hosts come by rank
    }
    if (best.host == kNoHost) return {};
    return spot_on(cluster, filters, scores, best.host);
}

std::optional<Spot> best_spot(const Cluster& cluster, const Filters& filters,
                              const Scores& scores) {
    if (filters.quota()) return {};
    return is_plain(filters, scores) ? best_of_shapes(cluster, filters, scores)
                                     : best_of_hosts(cluster, filters, scores);
}

void count_refusal(std::vector<Refusals>& refusals, const HostSlot& host, const Failure& failure) {
    auto found = std::find_if(refusals.begin(), refusals.end(),
                              [&](const Refusals& one) { return one.reason == failure.reason; });
    if (found == refusals.end()) {
        refusals.push_back({failure.reason, 1, host.spec.name, failure.detail});
        return;
    }
    ++found->hosts;
}

}  // namespace

Strategy strategy_for(const Request& request, const Policy& policy) {
    if (request.strategy) return *request.strategy;
    auto found = policy.project_strategy.find(request.project);
    return found == policy.project_strategy.end() ? policy.strategy : found->second;
}

std::optional<Spot> choose(const Cluster& cluster, const Request& request, const Policy& policy) {
    if (!validate(request)) return {};
    Filters filters(cluster, request, policy, strategy_for(request, policy));
    Scores scores(cluster, filters, policy);
    return best_spot(cluster, filters, scores);
}

Decision place(const Cluster& cluster, const Request& request, const Policy& policy) {
    Decision decision;
    decision.vm = request.vm;
    decision.strategy = strategy_for(request, policy);
    decision.revision = cluster.revision();
    decision.hosts_considered = static_cast<std::int64_t>(cluster.host_count());
    if (auto valid = validate(request); !valid) {
        decision.outcome = Outcome::kRefused;
        decision.error = valid.error();
        return decision;
    }
    Filters filters(cluster, request, policy, decision.strategy);
    Scores scores(cluster, filters, policy);
    std::vector<Spot> spots;
    std::vector<Failure> failures;
    for (HostIndex index : cluster.hosts()) {
        if (auto spot = spot_on(cluster, filters, scores, index)) {
            spots.push_back(*spot);
            continue;
        }
        failures.clear();
        filters.check(index, failures);
        if (!failures.empty())
            count_refusal(decision.refusals, cluster.host(index), failures.front());
    }
    std::stable_sort(decision.refusals.begin(), decision.refusals.end(),
                     [](const Refusals& a, const Refusals& b) { return a.hosts > b.hosts; });
    if (spots.empty()) return decision;
    auto keep = std::min<std::size_t>(spots.size(),
                                      1 + static_cast<std::size_t>(std::max(0, policy.runners_up)));
    std::partial_sort(spots.begin(), spots.begin() + static_cast<std::ptrdiff_t>(keep), spots.end(),
                      [&](const Spot& a, const Spot& b) { return better(cluster, a, b); });
    auto explain = [&](const Spot& spot) {
        auto parts = scores.explain_room(cluster.host(spot.host), spot.take);
        scores.of_host(spot.host, &parts);
        return parts;
    };
    decision.outcome = Outcome::kPlaced;
    decision.host = cluster.host(spots[0].host).spec.name;
    decision.assignment = cluster.assignment_of(spots[0].take);
    decision.score = spots[0].score;
    decision.parts = explain(spots[0]);
    for (std::size_t i = 1; i < keep; ++i)
        decision.runners_up.push_back(
            {cluster.host(spots[i].host).spec.name, spots[i].score, explain(spots[i])});
    return decision;
}

Result<std::vector<Failure>> why_not(const Cluster& cluster, const Request& request,
                                     std::string_view host, const Policy& policy) {
    RETURN_IF_ERROR(validate(request));
    auto index = cluster.find_host(host);
    if (index == kNoHost)
        return fail(ErrorCode::kNotFound, fmt::format("host {} is not known", host));
    Filters filters(cluster, request, policy, strategy_for(request, policy));
    std::vector<Failure> failures;
    filters.check(index, failures);
    return failures;
}

}  // namespace blixard::scheduler
