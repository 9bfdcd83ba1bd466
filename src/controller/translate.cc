#include "controller/translate.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "model/keys.h"
#include "view/volume_file.h"

namespace blixard::controller {
namespace {

scheduler::Overcommit overcommit_of(model::Overcommit profile) {
    switch (profile) {
        case model::Overcommit::kShared:
            return {.cpu = 32.0, .memory = 1.0, .disk = 4.0, .reserve = 0.0};
        case model::Overcommit::kNone: return scheduler::Overcommit::none();
        case model::Overcommit::kConservative: return scheduler::Overcommit::conservative();
        case model::Overcommit::kModerate: return scheduler::Overcommit::moderate();
        case model::Overcommit::kAggressive: return scheduler::Overcommit::aggressive();
    }
    return scheduler::Overcommit::none();
}

std::vector<scheduler::Label> labels_of(const std::map<std::string, std::string>& labels) {
    std::vector<scheduler::Label> list;
    list.reserve(labels.size());
    for (const auto& [key, value] : labels) list.push_back({key, value});
    return list;
}

scheduler::Affinity affinity_of(const model::AffinityRule& rule, std::string_view project) {
    scheduler::Affinity affinity;
    // Labels are a project's own: no project keeps another's VMs away by guessing theirs.
    affinity.target.labels = labels_of(rule.labels);
    if (!rule.labels.empty()) affinity.target.project = project;
    if (!rule.vm.empty()) affinity.target.vm = fmt::format("{}/{}", project, rule.vm);
    affinity.anti = rule.anti;
    affinity.hard = rule.hard;
    affinity.domain = rule.domain.empty() || rule.domain == "node" ? "host" : rule.domain;
    affinity.max_per_domain = static_cast<std::int32_t>(rule.max_per_node);
    affinity.weight = static_cast<double>(rule.weight);
    return affinity;
}

void add_devices(const model::Constraints& constraints, scheduler::Request& request) {
    for (const model::DeviceRequest& device : constraints.devices) {
        if (device.kind == "gpu") {
            request.gpu.count += static_cast<std::int32_t>(device.count);
            request.gpu.milli_each = static_cast<std::int32_t>(device.share_percent * 10);
            request.gpu.models = device.models;
            continue;
        }
        // By the model alone; a record that names none (the API refuses it) fits nowhere.
        request.devices.push_back({device.models.empty() ? "pci" : device.models.front(),
                                   static_cast<std::int32_t>(device.count)});
    }
}

}  // namespace

scheduler::Host host_of(const view::NodeEntry& node, scheduler::HostState state) {
    scheduler::Host host;
    host.name = node.key;
    host.state = state;
    if (node.spec) {
        const model::NodeSpec& spec = node.spec->value;
        host.overcommit = overcommit_of(spec.overcommit);
        host.labels = labels_of(spec.labels);
        host.zone = spec.zone;
        host.cost_per_hour = spec.cost_per_hour;
    }
    if (!node.status) return host;
    const model::NodeStatus& facts = node.status->value;
    host.capacity = {facts.cpus * 1000, facts.memory_mib, facts.disk_mib};
    for (const model::NumaNode& numa : facts.numa)
        host.numa.push_back({numa.cpus * 1000, numa.memory_mib});
    // One node is the whole host, whatever it says of itself: in a virtual machine whose memory was
    // added to, the node's own figure stays behind.
    if (host.numa.size() == 1 || host.numa.size() > scheduler::kNumaNodesMax) host.numa.clear();
    std::map<std::string, std::int32_t> devices;
    for (const model::Device& device : facts.devices) {
        if (device.kind == "gpu") {
            if (host.gpus.size() < scheduler::kGpusMax) host.gpus.push_back({device.model, 1000});
        } else {
            ++devices[device.model.empty() ? device.kind : device.model];
        }
    }
    for (const auto& [kind, count] : devices)
        if (host.devices.size() < scheduler::kDeviceKindsMax) host.devices.push_back({kind, count});
    host.features = facts.features;
    for (const std::string& pool : facts.pools) host.features.push_back("pool:" + pool);
    host.accelerator = facts.accelerator;
    return host;
}

scheduler::Request request_of(std::string project, std::string name, const model::VmSpec& spec,
                              const view::Snapshot& state) {
    scheduler::Request request;
    request.vm = fmt::format("{}/{}", project, name);
    request.need = {spec.cpus * 1000, spec.memory_mib, 0};
    if (!spec.strategy.empty())
        if (Result<scheduler::Strategy> strategy = scheduler::parse_strategy(spec.strategy))
            request.strategy = *strategy;
    request.priority = static_cast<std::int32_t>(spec.priority);
    request.preemptible = spec.preemptible;
    request.labels = labels_of(spec.labels);
    for (const model::AffinityRule& rule : spec.affinity)
        request.affinities.push_back(affinity_of(rule, project));
    const model::Constraints& constraints = spec.constraints;
    request.features = constraints.features;
    request.host_labels = labels_of(constraints.node_labels);
    request.zones.excluded = constraints.zones_excluded;
    request.zones.preferred = constraints.zones_preferred;
    request.zones.strict = constraints.zones_strict;
    if (constraints.numa_split) request.numa = scheduler::NumaPolicy::kSplit;
    request.cost_max_per_hour = constraints.cost_per_hour_max;
    request.manual_host = constraints.node;
    if (!constraints.node.empty() && !request.strategy)
        request.strategy = scheduler::Strategy::kManual;
    add_devices(constraints, request);
    for (const model::Disk& disk : spec.disks) {
        const view::VolumeEntry* volume =
            state.volumes.find(fmt::format("{}/{}", project, model::volume_name(name, disk)));
        if (!volume || !volume->record) {
            request.need.disk_mib += disk.pool.empty() ? disk.size_mib : 0;
            continue;
        }
        const model::VolumeRecord& record = volume->record->value;
        if (!record.pool.empty()) {
            request.features.push_back("pool:" + record.pool);
            continue;
        }
        request.need.disk_mib += record.size_mib;
        if (const std::string_view there = view::host_of_file(*volume); !there.empty())
            request.volume_pins.push_back({std::string(volume->name()), std::string(there)});
    }
    request.project = std::move(project);
    return request;
}

std::shared_ptr<const scheduler::Request> request_of(const view::VmEntry& vm,
                                                     const view::Snapshot& state) {
    auto request = std::make_shared<scheduler::Request>(request_of(
        std::string(vm.project()), std::string(vm.name()), vm.record->value.spec, state));
    // The order of creation is the order of revisions: no clock is asked.
    request->created = WallTime{vm.record->create_revision};
    if (vm.placement) request->started = WallTime{vm.placement->mod_revision};
    if (vm.not_understood != 0) request->preemptible = false;  // it is left alone
    return request;
}

void learn_mix(scheduler::Cluster& cluster, const view::Snapshot& state) {
    std::vector<const view::VmEntry*> vms;
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (!vm->record) return;
        const bool had_place = vm->placement && vm->placement->value.epoch > 0;
        const bool waits = vm->record->value.spec.run == model::Run::kRunning;
        if (had_place || waits) vms.push_back(vm.get());
    });
    std::sort(vms.begin(), vms.end(), [](const view::VmEntry* a, const view::VmEntry* b) {
        return a->record->create_revision != b->record->create_revision
                   ? a->record->create_revision < b->record->create_revision
                   : a->key < b->key;
    });
    for (const view::VmEntry* vm : vms) cluster.observe(*request_of(*vm, state));
}

scheduler::Assignment assignment_of(const model::Placement& placement) {
    scheduler::Assignment assignment;
    for (const std::int64_t node : placement.numa_nodes)
        assignment.numa_nodes.push_back(static_cast<std::int32_t>(node));
    for (const std::int64_t gpu : placement.gpus)
        assignment.gpus.push_back(static_cast<std::int32_t>(gpu));
    return assignment;
}

namespace {

std::optional<scheduler::Strategy> strategy_of(const view::ProjectEntry& project) {
    const std::string& strategy = project.record->value.strategy;
    if (strategy.empty()) return {};
    const Result<scheduler::Strategy> parsed = scheduler::parse_strategy(strategy);
    return parsed ? std::optional(*parsed) : std::nullopt;
}

}  // namespace

scheduler::Policy policy_of(const view::Snapshot& state, const scheduler::Policy& defaults) {
    scheduler::Policy policy = defaults;
    state.projects.for_each([&](const std::shared_ptr<const view::ProjectEntry>& project) {
        if (const auto strategy = strategy_of(*project))
            policy.project_strategy[project->key] = *strategy;
    });
    return policy;
}

void take_strategy(const view::Snapshot& state, const std::string& project,
                   const scheduler::Policy& defaults, scheduler::Policy& policy) {
    policy.project_strategy.erase(project);
    const auto usual = defaults.project_strategy.find(project);
    if (usual != defaults.project_strategy.end()) policy.project_strategy.insert(*usual);
    const view::ProjectEntry* entry = state.projects.find(project);
    if (!entry) return;
    if (const auto strategy = strategy_of(*entry)) policy.project_strategy[project] = *strategy;
}

namespace {

void append_quoted(std::string_view text, std::string& out) {
    out += '"';
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    out += '"';
}

void append_points(double points, std::string& out) {
    fmt::format_to(std::back_inserter(out), "{:.4f}", points);
}

template <class List, class Write>
void append_list(const List& list, std::string& out, Write write) {
    out += '[';
    bool is_first = true;
    for (const auto& item : list) {
        if (!std::exchange(is_first, false)) out += ',';
        write(item);
    }
    out += ']';
}

// Left out where there is nothing to say.
template <class List, class Write>
void append_member_list(std::string_view name, const List& list, std::string& out, Write write) {
    if (list.empty()) return;
    out += ",\"";
    out += name;
    out += "\":";
    append_list(list, out, write);
}

void append_member(std::string_view name, std::string_view text, std::string& out) {
    out += ",\"";
    out += name;
    out += "\":";
    append_quoted(text, out);
}

void append_parts(const std::vector<scheduler::ScorePart>& parts, std::string& out) {
    append_list(parts, out, [&](const scheduler::ScorePart& part) {
        out += R"({"name":)";
        append_quoted(part.name, out);
        out += R"(,"points":)";
        append_points(part.points, out);
        out += '}';
    });
}

void append_candidate(const scheduler::Candidate& candidate, std::string& out) {
    out += R"({"host":)";
    append_quoted(candidate.host, out);
    out += R"(,"score":)";
    append_points(candidate.score, out);
    out += R"(,"parts":)";
    append_parts(candidate.parts, out);
    out += '}';
}

void append_refusal(const scheduler::Refusals& refusal, std::string& out) {
    fmt::format_to(std::back_inserter(out), R"({{"reason":"{}","hosts":{})",
                   scheduler::reason_name(refusal.reason), refusal.hosts);
    append_member("closest_host", refusal.closest_host, out);
    append_member("detail", refusal.detail, out);
    out += '}';
}

void append_remedy(const scheduler::Remedy& remedy, std::string& out) {
    fmt::format_to(std::back_inserter(out), R"({{"kind":"{}")",
                   scheduler::remedy_name(remedy.kind));
    append_member("host", remedy.host, out);
    append_member("text", remedy.text, out);
    out += '}';
}

std::string_view outcome_name(scheduler::Outcome outcome) {
    switch (outcome) {
        case scheduler::Outcome::kPlaced: return "placed";
        case scheduler::Outcome::kPreempts: return "preempts";
        case scheduler::Outcome::kPending: return "pending";
        case scheduler::Outcome::kRefused: return "refused";
    }
    return "pending";
}

}  // namespace

std::string quoted(std::string_view text) {
    std::string out;
    append_quoted(text, out);
    return out;
}

std::string parts_json(const std::vector<scheduler::ScorePart>& parts) {
    std::string out;
    append_parts(parts, out);
    return out;
}

std::string decision_json(const scheduler::Decision& decision) {
    std::string out;
    out.reserve(512);
    fmt::format_to(std::back_inserter(out), R"({{"outcome":"{}","strategy":"{}")",
                   outcome_name(decision.outcome), scheduler::strategy_name(decision.strategy));
    append_member("host", decision.host, out);
    out += R"(,"score":)";
    append_points(decision.score, out);
    out += R"(,"parts":)";
    append_parts(decision.parts, out);
    append_member_list("runners_up", decision.runners_up, out,
                       [&](const auto& candidate) { append_candidate(candidate, out); });
    append_member_list("refusals", decision.refusals, out,
                       [&](const auto& refusal) { append_refusal(refusal, out); });
    append_member_list("would_fit_if", decision.would_fit_if, out,
                       [&](const auto& remedy) { append_remedy(remedy, out); });
    append_member_list("evictions", decision.evictions, out,
                       [&](const std::string& vm) { append_quoted(vm, out); });
    if (decision.outcome == scheduler::Outcome::kRefused)
        append_member("error", describe(decision.error), out);
    fmt::format_to(std::back_inserter(out), R"(,"hosts_considered":{},"revision":{}}})",
                   decision.hosts_considered, decision.revision);
    return out;
}

}  // namespace blixard::controller
