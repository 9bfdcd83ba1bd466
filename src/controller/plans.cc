#include "controller/plans.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/counted.h"
#include "controller/needs.h"
#include "controller/translate.h"
#include "model/documents.h"
#include "model/plan_requests.h"
#include "model/requests.h"
#include "scheduler/plan.h"
#include "scheduler/rebalance.h"

namespace blixard::controller {
namespace {

constexpr std::int64_t kSurviveHostsMost =
    200;  // asked of each loss of one host: more would make people wait
constexpr std::int64_t kSurviveWork = 20'000'000;  // hosts and VMs looked at: some seconds
constexpr std::int64_t kSurviveSetsLeast = 50;

std::string moves_json(const scheduler::Plan& plan) {
    std::string moves;
    for (const scheduler::Move& move : plan.moves)
        moves += fmt::format(R"({}{{"vm":{},"from":{},"to":{}}})", moves.empty() ? "" : ",",
                             quoted(move.vm), quoted(move.from), quoted(move.to));
    std::string stuck;
    for (const scheduler::Stuck& one : plan.stuck)
        stuck += fmt::format(R"({}{{"vm":{},"from":{},"reason":{}}})", stuck.empty() ? "" : ",",
                             quoted(one.vm), quoted(one.from), quoted(one.why));
    return fmt::format(R"("moves":[{}],"stuck":[{}])", moves, stuck);
}

std::string document(std::string_view what, std::string_view summary, const scheduler::Plan& plan,
                     std::string_view more = {}) {
    return fmt::format(R"({{"kind":"plan","plan":"{}","summary":{},{}{}}})", what, quoted(summary),
                       moves_json(plan), more);
}

std::string count_text(const scheduler::Plan& plan, std::string_view verb) {
    return fmt::format("{} {}, {} would have no place", counted(plan.moves.size(), "VM"), verb,
                       plan.stuck.size());
}

// Whether the cluster, as it is, survives the loss of any one host; empty where that is not asked
// of so many hosts.
std::string survives_json(const scheduler::Cluster& cluster, const scheduler::Policy& policy) {
    if (cluster.host_count() < 2 ||
        static_cast<std::int64_t>(cluster.host_count()) > kSurviveHostsMost)
        return {};
    const Result<scheduler::Survival> survival = scheduler::survives_losses(cluster, 1, policy);
    if (!survival) return {};
    return fmt::format(R"(,"survives":{})", survival->survives);
}

Result<std::string> plan_hosts(std::string_view what, const std::vector<std::string>& hosts,
                               const scheduler::Cluster& cluster, const scheduler::Policy& policy) {
    const bool drain = what == "drain";
    ASSIGN_OR_RETURN(const scheduler::Plan plan,
                     drain ? scheduler::plan_drain(cluster, hosts, policy)
                           : scheduler::plan_lose(cluster, hosts, policy));
    return document(what, count_text(plan, drain ? "would move" : "would run elsewhere"), plan,
                    survives_json(cluster, policy));
}

// Of any so many hosts.
Result<std::string> plan_survive(const std::string& body, const scheduler::Cluster& cluster,
                                 const scheduler::Policy& policy) {
    ASSIGN_OR_RETURN(const auto asked, model::parse_question<model::PlanSurvive>(body));
    const std::int64_t hosts = asked.hosts;
    // Each set is tried on a copy of the whole picture.
    const std::int64_t sets_most = std::clamp<std::int64_t>(
        kSurviveWork / static_cast<std::int64_t>(cluster.vm_count() + cluster.host_count() + 1),
        kSurviveSetsLeast, scheduler::kLossSetsMax);
    ASSIGN_OR_RETURN(const scheduler::Survival survival,
                     scheduler::survives_losses(cluster, hosts, policy, sets_most));
    scheduler::Plan plan;
    plan.stuck = survival.stuck;
    std::string worst;
    for (const std::string& host : survival.worst)
        worst += fmt::format("{}{}", worst.empty() ? "" : ",", quoted(host));
    const std::string lost = hosts == 1 ? "any one host" : fmt::format("any {} hosts", hosts);
    std::string summary =
        survival.survives
            ? fmt::format("after the loss of {} every VM would find a place", lost)
            : fmt::format("{} would have no place after the loss of {}",
                          counted(plan.stuck.size(), "VM"), fmt::join(survival.worst, ", "));
    if (!survival.all_sets_tried)
        summary +=
            fmt::format(" (tried: {} sets of the fullest hosts, not all)", survival.sets_tried);
    return document(
        "survive", summary, plan,
        fmt::format(R"(,"survives":{},"worst":[{}],"sets_tried":{},"all_sets_tried":{})",
                    survival.survives, worst, survival.sets_tried, survival.all_sets_tried));
}

Result<std::string> plan_add(const std::string& body, const scheduler::Cluster& cluster,
                             const view::Snapshot& state, const scheduler::Policy& policy) {
    ASSIGN_OR_RETURN(const auto asked, model::parse_question<model::PlanAdd>(body));
    scheduler::Host host;
    host.name = asked.name.empty() ? "new-host" : asked.name;
    host.capacity = {asked.cpus * 1000, asked.memory_mib, asked.disk_mib};
    host.zone = asked.zone;
    view::NodeEntry like;  // the default of a host that nobody has set anything for
    like.spec = std::make_shared<const view::Part<model::NodeSpec>>();
    host.overcommit = host_of(like, scheduler::HostState::kReady).overcommit;
    std::vector<std::shared_ptr<const scheduler::Request>> pending;
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (vm->record && vm->phase == model::Phase::kPending)
            pending.push_back(request_of(*vm, state));
    });
    ASSIGN_OR_RETURN(const scheduler::Plan plan,
                     scheduler::plan_add(cluster, host, asked.count, pending, policy));
    return document(
        "add",
        fmt::format("{} of {} pending VMs would find a place", plan.moves.size(), pending.size()),
        plan);
}

Result<std::string> plan_launch(const model::Question& question, const scheduler::Cluster& cluster,
                                const view::Snapshot& state, const scheduler::Policy& policy) {
    ASSIGN_OR_RETURN(const auto asked, model::parse_question<model::PlanLaunch>(question.body));
    const std::string project =
        asked.project.empty() ? std::string(model::kDefaultProject) : asked.project;
    const scheduler::Request request = request_of(project, "new", asked.spec, state);
    const std::int64_t allowed = question.allowed < 0 ? asked.count : question.allowed;
    scheduler::Plan plan;
    if (allowed > 0) {
        ASSIGN_OR_RETURN(plan, scheduler::plan_launch(cluster, request, allowed, policy));
    }
    for (std::int64_t i = allowed + 1; i <= asked.count; ++i)
        plan.stuck.push_back({fmt::format("{}-{}", request.vm, i), "", question.beyond});
    return document(
        "launch",
        fmt::format("{} of {} would find a place", plan.moves.size(), counted(asked.count, "VM")),
        plan);
}

std::string answer_upgrade(const scheduler::Cluster& cluster, const scheduler::Policy& policy) {
    scheduler::Plan all;
    std::string steps;
    for (const scheduler::UpgradeStep& step : scheduler::plan_upgrade(cluster, policy)) {
        steps += fmt::format(R"({}{{"node":{},{}}})", steps.empty() ? "" : ",", quoted(step.host),
                             moves_json(step.plan));
        all.moves.insert(all.moves.end(), step.plan.moves.begin(), step.plan.moves.end());
        all.stuck.insert(all.stuck.end(), step.plan.stuck.begin(), step.plan.stuck.end());
    }
    return document("upgrade",
                    fmt::format("host by host: {} in all, {} would have no place for a while",
                                counted(all.moves.size(), "move"), counted(all.stuck.size(), "VM")),
                    all, fmt::format(R"(,"steps":[{}])", steps));
}

// "default/web-1 (h1 to h2), ..."; the first few.
std::string moves_text(const scheduler::Plan& plan) {
    constexpr std::size_t kNamed = 5;
    std::string text;
    for (std::size_t i = 0; i < plan.moves.size() && i < kNamed; ++i)
        text += fmt::format("{}{} ({} to {})", i > 0 ? ", " : "", plan.moves[i].vm,
                            plan.moves[i].from, plan.moves[i].to);
    if (plan.moves.size() > kNamed) text += fmt::format(" and {} more", plan.moves.size() - kNamed);
    return text;
}

}  // namespace

Result<std::string> plan(const model::Question& question, const scheduler::Cluster& cluster,
                         const view::Snapshot& state, const scheduler::Policy& policy) {
    const std::string &what = question.what, &body = question.body;
    if (what == "drain") {
        ASSIGN_OR_RETURN(const auto asked, model::parse_question<model::PlanDrain>(body));
        return plan_hosts(what, {asked.node}, cluster, policy);
    }
    if (what == "lose") {
        ASSIGN_OR_RETURN(auto asked, model::parse_question<model::PlanLose>(body));
        // A host that is named twice is lost once.
        std::sort(asked.nodes.begin(), asked.nodes.end());
        asked.nodes.erase(std::unique(asked.nodes.begin(), asked.nodes.end()), asked.nodes.end());
        return plan_hosts(what, asked.nodes, cluster, policy);
    }
    if (what == "add") return plan_add(body, cluster, state, policy);
    if (what == "launch") return plan_launch(question, cluster, state, policy);
    if (what == "survive") return plan_survive(body, cluster, policy);
    if (what == "upgrade") {
        RETURN_IF_ERROR(model::parse_question<model::PlanUpgrade>(body));
        return answer_upgrade(cluster, policy);
    }
    return fail(ErrorCode::kNotFound, fmt::format("there is no plan called \"{}\"", what),
                "drain, lose, add, launch, upgrade, survive");
}

Result<std::string> rebalance(const model::Question& question, const scheduler::Cluster& cluster,
                              const view::Snapshot& state, const scheduler::Policy& policy) {
    ASSIGN_OR_RETURN(const auto asked,
                     model::parse_question<model::RebalanceRequest>(question.body));
    const scheduler::Rebalance found = scheduler::plan_rebalance(
        cluster, policy, asked.max_moves, [&](const scheduler::Request& request) {
            const view::VmEntry* vm = state.vms.find(request.vm);
            return vm && movable(*vm);
        });
    scheduler::Plan plan;
    for (const scheduler::Gain& gain : found.moves) plan.moves.push_back(gain.move);
    if (!question.dry_run && !plan.moves.empty() && !asked.restart_vms)
        return fail(
            ErrorCode::kConflict,
            fmt::format("{} would be restarted, as there is no live migration: {}",
                        plan.moves.size() == 1 ? std::string("one running VM")
                                               : fmt::format("{} running VMs", plan.moves.size()),
                        moves_text(plan)),
            "say that they may be: blixard rebalance --restart-vms; or look first: blixard "
            "rebalance --dry-run");
    return document(
        "rebalance",
        fmt::format("{}; CPUs that the usual mix cannot use: {:.2f} now, {:.2f} after",
                    counted(plan.moves.size(), "move"), found.lost_before, found.lost_after),
        plan, fmt::format(R"(,"count":{},"finished":{})", plan.moves.size(), found.finished));
}

}  // namespace blixard::controller
