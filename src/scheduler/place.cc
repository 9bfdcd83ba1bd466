#include "scheduler/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/mutant.h"
#include "scheduler/filters.h"
#include "scheduler/preempt.h"
#include "scheduler/remedy.h"
#include "scheduler/scores.h"

namespace blixard::scheduler {
namespace {

constexpr std::size_t kFailuresUsual = 8;  // of one host at once

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
    auto flavour = hash_of(
        {ask_hash(filters.ask()), filters.accelerator(), filters.request().accelerator.empty()});
    auto host = cluster.shapes().best(flavour, cluster.mix().edition(), [&](HostIndex index) {
        return judge(cluster, filters, scores, index);
    });
    if (host == kNoHost) return {};
    return spot_on(cluster, filters, scores, host);
}

// The room of each shape is judged once in a decision; hosts without a shape (cordoned, lost,
// reserved) one by one.
class Sheet {
 public:
    Sheet(const Cluster& cluster, const Filters& filters, const Scores& scores)
        : cluster_(cluster),
          filters_(filters),
          scores_(scores),
          decision_(cluster.shapes().new_decision()) {}

    std::optional<double> judged(HostIndex index) {
        auto& shapes = cluster_.shapes();
        auto shape = shapes.of(index);
        if (shape == kNoShape) return judge(cluster_, filters_, scores_, index);
        auto& note = shapes.note(shape);
        if (note.decision != decision_) {
            auto score = judge(cluster_, filters_, scores_, index);
            note = {decision_, score.has_value(), score.value_or(0.0), -1};
        }
        if (!note.fits) return {};
        return note.score;
    }

    // Of a host that has been judged; null if it has no shape.
    Shapes::Note* note_of(HostIndex index) {
        auto shape = cluster_.shapes().of(index);
        return shape == kNoShape ? nullptr : &cluster_.shapes().note(shape);
    }

 private:
    const Cluster& cluster_;
    const Filters& filters_;
    const Scores& scores_;
    std::uint64_t decision_;
};

// Every host, but the room of each shape is judged once.
std::optional<Spot> best_of_hosts(const Cluster& cluster, const Filters& filters,
                                  const Scores& scores) {
    Sheet sheet(cluster, filters, scores);
    Spot best;
    for (HostIndex index : cluster.hosts()) {
        auto room_score = sheet.judged(index);
        if (!room_score || (filters.looks_at_hosts() && !filters.admits_host(index))) continue;
        double score = *room_score;
        if (scores.looks_at_hosts()) score += scores.of_host(index, nullptr);
        if (best.host == kNoHost || score > best.score)
            best = {index, {}, score};  // hosts come by rank
    }
    if (best.host == kNoHost) return {};
    return spot_on(cluster, filters, scores, best.host);
}

std::optional<Spot> best_spot(const Cluster& cluster, const Filters& filters,
                              const Scores& scores) {
    if (filters.quota()) return {};
    bool columns_hold = is_plain(filters, scores) && cluster.reserved_count() == 0;
    return columns_hold ? best_of_shapes(cluster, filters, scores)
                        : best_of_hosts(cluster, filters, scores);
}

// Refusals by reason. A host counts under the first filter that refuses it; the closest one lacks
// least.
class Tally {
 public:
    // Where it was counted, for again().
    template <class Detail>
    std::int32_t add(const HostSlot& host, const Failure& failure, const Detail& detail) {
        auto lack = failure.needed - failure.available;
        for (std::size_t i = 0; i < refusals_.size(); ++i) {
            if (refusals_[i].reason != failure.reason) continue;
            ++refusals_[i].hosts;
            if (lack < lacks_[i]) {
                lacks_[i] = lack;
                refusals_[i].closest_host = host.spec.name;
                refusals_[i].detail = detail();
            }
            return static_cast<std::int32_t>(i);
        }
        refusals_.push_back({failure.reason, 1, host.spec.name, detail()});
        lacks_[refusals_.size() - 1] = lack;
        return static_cast<std::int32_t>(refusals_.size() - 1);
    }
    // One host more that says exactly the same.
    void again(std::int32_t refusal) {
        if (!mutant(MutantId::kReasonMiscounted))
            ++refusals_[static_cast<std::size_t>(refusal)].hosts;
    }

    std::vector<Refusals> take() {
        // No two have the same reason: nothing to keep stable, which would take memory.
        std::sort(refusals_.begin(), refusals_.end(), [](const Refusals& a, const Refusals& b) {
            return a.hosts != b.hosts ? a.hosts > b.hosts : a.reason < b.reason;
        });
        return std::move(refusals_);
    }

 private:
    std::vector<Refusals> refusals_;
    std::array<std::int64_t, kReasons> lacks_{};  // of each refusal
};

// All hosts, judged; the best few kept in order.
struct Survey {
    std::vector<Spot> best;
    Tally tally;
};

Survey survey(const Cluster& cluster, const Filters& filters, const Scores& scores,
              std::size_t keep) {
    Survey survey;
    survey.best.reserve(keep + 1);
    Sheet sheet(cluster, filters, scores);
    std::vector<Failure> failures;
    // Putting a refusal into words costs more than all the rest: once for each shape.
    auto refuse = [&](HostIndex index) {
        auto* note = filters.looks_at_hosts() ? nullptr : sheet.note_of(index);
        if (note && note->refusal >= 0) return survey.tally.again(note->refusal);
        failures.reserve(kFailuresUsual);
        filters.check(index, Words::kNone, failures);
        if (failures.empty()) return;
        const Failure first = failures.front();
        auto refusal = survey.tally.add(cluster.host(index), first, [&] {
            filters.check(index, Words::kOfFirst, failures);
            return std::move(failures.front().detail);
        });
        if (note) note->refusal = refusal;
    };
    for (HostIndex index : cluster.hosts()) {
        auto room_score = sheet.judged(index);
        if (!room_score || filters.quota() ||
            (filters.looks_at_hosts() && !filters.admits_host(index))) {
            refuse(index);
            continue;
        }
        double score = *room_score;
        if (scores.looks_at_hosts()) score += scores.of_host(index, nullptr);
        if (survey.best.size() == keep && score <= survey.best.back().score)
            continue;  // hosts come by rank
        auto at =
            std::upper_bound(survey.best.begin(), survey.best.end(), score,
                             [](double value, const Spot& spot) { return value > spot.score; });
        survey.best.insert(at, {index, {}, score});
        if (survey.best.size() > keep) survey.best.pop_back();
    }
    for (auto& spot : survey.best) spot = *spot_on(cluster, filters, scores, spot.host);
    return survey;
}

void explain_winner(Decision& decision, const Cluster& cluster, const Scores& scores,
                    const std::vector<Spot>& best) {
    auto parts_of = [&](const Spot& spot) {
        auto parts = scores.explain_room(cluster.host(spot.host), spot.take);
        scores.of_host(spot.host, &parts);
        return parts;
    };
    decision.outcome = Outcome::kPlaced;
    decision.host = cluster.host(best[0].host).spec.name;
    decision.assignment = cluster.assignment_of(best[0].take);
    decision.score = best[0].score;
    decision.parts = parts_of(best[0]);
    decision.runners_up.reserve(best.size() - 1);
    for (std::size_t i = 1; i < best.size(); ++i)
        decision.runners_up.push_back(
            {cluster.host(best[i].host).spec.name, best[i].score, parts_of(best[i])});
}

bool may_preempt(const Decision& decision, const Policy& policy) {
    return policy.preempt_always || decision.strategy == Strategy::kPriority;
}

void explain_eviction(Decision& decision, const Cluster& cluster, const Preemption& plan) {
    decision.outcome = Outcome::kPreempts;
    decision.host = cluster.host(plan.host).spec.name;
    decision.assignment = cluster.assignment_of(plan.take);
    for (VmIndex vm : plan.victims) decision.evictions.push_back(cluster.vm(vm).request->vm);
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

Decision place(const Cluster& cluster, const Request& request, const Policy& policy,
               Remedies remedies) {
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
    auto found = survey(cluster, filters, scores,
                        1 + static_cast<std::size_t>(std::max(0, policy.runners_up)));
    decision.refusals = found.tally.take();
    if (!found.best.empty()) {
        explain_winner(decision, cluster, scores, found.best);
        return decision;
    }
    if (may_preempt(decision, policy))
        if (auto plan = plan_preemption(cluster, request, policy)) {
            explain_eviction(decision, cluster, *plan);
            return decision;
        }
    decision.without_remedies = remedies == Remedies::kLeftOut;
    if (!decision.without_remedies) decision.would_fit_if = find_remedies(cluster, filters, policy);
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
    filters.check(index, Words::kOfAll, failures);
    return failures;
}

}  // namespace blixard::scheduler
