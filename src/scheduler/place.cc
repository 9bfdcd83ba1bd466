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
    std::int32_t add(HostIndex host, const Failure& failure) {
        const auto lack = failure.needed - failure.available;
        std::size_t at = 0;
        while (at < count_ && counted_[at].reason != failure.reason) ++at;
        if (at == count_) counted_[count_++] = {failure.reason, 0, host, lack};
        Counted& here = counted_[at];
        ++here.hosts;
        if (lack < here.lack) {
            here.lack = lack;
            here.closest = host;
        }
        return static_cast<std::int32_t>(at);
    }
    // One host more that says exactly the same.
    void again(std::int32_t refusal) {
        if (!mutant(MutantId::kReasonMiscounted))
            ++counted_[static_cast<std::size_t>(refusal)].hosts;
    }

    // Most hosts first; only what the closest ones say is put into words.
    void write(const Cluster& cluster, const Filters& filters, std::vector<Failure>& failures,
               std::vector<Refusals>& refusals) {
        // No two have the same reason: nothing to keep stable, which would take memory.
        std::sort(counted_.begin(), counted_.begin() + count_,
                  [](const Counted& a, const Counted& b) {
                      return a.hosts != b.hosts ? a.hosts > b.hosts : a.reason < b.reason;
                  });
        refusals.resize(count_);
        for (std::size_t i = 0; i < count_; ++i) {
            filters.check(counted_[i].closest, Words::kOfFirst, failures);
            refusals[i].reason = counted_[i].reason;
            refusals[i].hosts = counted_[i].hosts;
            refusals[i].closest_host = cluster.host(counted_[i].closest).spec.name;
            refusals[i].detail = std::move(failures.front().detail);
        }
    }

 private:
    struct Counted {
        Reason reason = Reason::kCpu;
        std::int64_t hosts = 0;
        HostIndex closest = kNoHost;
        std::int64_t lack = 0;
    };
    std::array<Counted, kReasons> counted_;
    std::size_t count_ = 0;
};

// All hosts, judged; the best few kept in order.
Tally survey(const Cluster& cluster, const Filters& filters, const Scores& scores, std::size_t keep,
             std::vector<Spot>& best, std::vector<Failure>& failures) {
    Tally tally;
    best.clear();
    best.reserve(keep + 1);
    Sheet sheet(cluster, filters, scores);
    auto refuse = [&](HostIndex index) {
        auto* note = filters.looks_at_hosts() ? nullptr : sheet.note_of(index);
        if (note && note->refusal >= 0) return tally.again(note->refusal);
        filters.check(index, Words::kNone, failures);
        if (failures.empty()) return;
        const auto refusal = tally.add(index, failures.front());
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
        if (best.size() == keep && score <= best.back().score) continue;  // hosts come by rank
        auto at =
            std::upper_bound(best.begin(), best.end(), score,
                             [](double value, const Spot& spot) { return value > spot.score; });
        best.insert(at, {index, {}, score});
        if (best.size() > keep) best.pop_back();
    }
    for (auto& spot : best) spot = *spot_on(cluster, filters, scores, spot.host);
    return tally;
}

void explain_winner(Decision& decision, const Cluster& cluster, const Scores& scores,
                    const std::vector<Spot>& best) {
    auto name_parts = [&](const Spot& spot, std::vector<ScorePart>& parts) {
        parts.clear();
        scores.explain_room(cluster.host(spot.host), spot.take, parts);
        scores.of_host(spot.host, &parts);
    };
    decision.outcome = Outcome::kPlaced;
    decision.host = cluster.host(best[0].host).spec.name;
    cluster.write_assignment(best[0].take, decision.assignment);
    decision.score = best[0].score;
    name_parts(best[0], decision.parts);
    decision.runners_up.resize(best.size() - 1);
    for (std::size_t i = 1; i < best.size(); ++i) {
        Candidate& candidate = decision.runners_up[i - 1];
        candidate.host = cluster.host(best[i].host).spec.name;
        candidate.score = best[i].score;
        name_parts(best[i], candidate.parts);
    }
}

// As good as new, in the memory of one before; runners_up and refusals are its caller's to set.
Decision& begin(Decision& decision, const Request& request) {
    Decision fresh;
    fresh.vm.swap(decision.vm);
    fresh.host.swap(decision.host);
    fresh.assignment = std::move(decision.assignment);
    fresh.parts.swap(decision.parts);
    fresh.runners_up.swap(decision.runners_up);
    fresh.refusals.swap(decision.refusals);
    decision = std::move(fresh);
    decision.vm = request.vm;
    decision.host.clear();
    decision.assignment.numa_nodes.clear();
    decision.assignment.gpus.clear();
    decision.parts.clear();
    return decision;
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

Decision& Placer::place(const Cluster& cluster, const Request& request, const Policy& policy,
                        Remedies remedies) {
    Decision& decision = begin(decision_, request);
    decision.strategy = strategy_for(request, policy);
    decision.revision = cluster.revision();
    decision.hosts_considered = static_cast<std::int64_t>(cluster.host_count());
    if (auto valid = validate(request); !valid) {
        decision.outcome = Outcome::kRefused;
        decision.error = valid.error();
        decision.runners_up.clear();
        decision.refusals.clear();
        return decision;
    }
    Filters filters(cluster, request, policy, decision.strategy);
    Scores scores(cluster, filters, policy);
    survey(cluster, filters, scores, 1 + static_cast<std::size_t>(std::max(0, policy.runners_up)),
           best_, failures_)
        .write(cluster, filters, failures_, decision.refusals);
    if (!best_.empty()) {
        explain_winner(decision, cluster, scores, best_);
        return decision;
    }
    decision.runners_up.clear();
    if (may_preempt(decision, policy))
        if (auto plan = plan_preemption(cluster, request, policy)) {
            explain_eviction(decision, cluster, *plan);
            return decision;
        }
    decision.unknown_host = filters.unknown_host();
    decision.without_remedies = remedies == Remedies::kLeftOut;
    if (!decision.without_remedies) decision.would_fit_if = find_remedies(cluster, filters, policy);
    return decision;
}

Decision place(const Cluster& cluster, const Request& request, const Policy& policy,
               Remedies remedies) {
    Placer placer;
    return std::move(placer.place(cluster, request, policy, remedies));
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
