#include "controller/translate.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/keys.h"

namespace blixard::controller {
namespace {

scheduler::Overcommit overcommit_of(model::Overcommit profile) {
    switch (profile) {
        case model::Overcommit::kShared: return {.cpu = 32.0, .memory = 1.0, .disk = 4.0, .reserve = 0.0};
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
    if (!constraints.node.empty()) request.strategy = scheduler::Strategy::kManual;
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
        const bool made = volume->status && volume->status->value.uid == record.uid &&
                          !volume->status->value.node.empty();
        if (made)
            request.volume_pins.push_back(
                {std::string(volume->name()), volume->status->value.node});
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
    return request;
}

void learn_mix(scheduler::Cluster& cluster, const view::Snapshot& state, Waiting waiting) {
    std::vector<const view::VmEntry*> vms;
    state.vms.for_each([&](const std::shared_ptr<const view::VmEntry>& vm) {
        if (!vm->record) return;
        const bool had_place = vm->placement && vm->placement->value.epoch > 0;
        const bool waits = !had_place && vm->record->value.spec.run == model::Run::kRunning;
        if (had_place || (waits && waiting == Waiting::kCounted)) vms.push_back(vm.get());
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

scheduler::Policy policy_of(const view::Snapshot& state, const scheduler::Policy& defaults) {
    scheduler::Policy policy = defaults;
    state.projects.for_each([&](const std::shared_ptr<const view::ProjectEntry>& project) {
        const std::string& strategy = project->record->value.strategy;
        if (strategy.empty()) return;
        if (Result<scheduler::Strategy> parsed = scheduler::parse_strategy(strategy))
            policy.project_strategy[project->key] = *parsed;
    });
    return policy;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (static_cast<unsigned char>(c) < 0x20)
            out += ' ';
        else
            out += c;
    }
    return out + '"';
}

std::string parts_json(const std::vector<scheduler::ScorePart>& parts) {
    std::string out = "[";
    for (const scheduler::ScorePart& part : parts) {
        if (out.size() > 1) out += ',';
        out += fmt::format(R"({{"name":{},"points":{:.4f}}})", quoted(part.name), part.points);
    }
    return out + "]";
}

namespace {

template <class List, class Write>
std::string list_json(const List& list, Write write) {
    std::string out = "[";
    for (const auto& item : list) {
        if (out.size() > 1) out += ',';
        out += write(item);
    }
    return out + "]";
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

std::string decision_json(const scheduler::Decision& decision) {
    std::string out =
        fmt::format(R"({{"outcome":"{}","strategy":"{}","host":{},"score":{:.4f},"parts":{},)",
                    outcome_name(decision.outcome), scheduler::strategy_name(decision.strategy),
                    quoted(decision.host), decision.score, parts_json(decision.parts));
    out += fmt::format(
        R"("runners_up":{},"refusals":{},"would_fit_if":{},"evictions":{},)",
        list_json(decision.runners_up,
                  [](const scheduler::Candidate& candidate) {
                      return fmt::format(R"({{"host":{},"score":{:.4f},"parts":{}}})",
                                         quoted(candidate.host), candidate.score,
                                         parts_json(candidate.parts));
                  }),
        list_json(decision.refusals,
                  [](const scheduler::Refusals& refusal) {
                      return fmt::format(
                          R"({{"reason":"{}","hosts":{},"closest_host":{},"detail":{}}})",
                          scheduler::reason_name(refusal.reason), refusal.hosts,
                          quoted(refusal.closest_host), quoted(refusal.detail));
                  }),
        list_json(decision.would_fit_if,
                  [](const scheduler::Remedy& remedy) {
                      return fmt::format(R"({{"kind":"{}","host":{},"text":{}}})",
                                         scheduler::remedy_name(remedy.kind), quoted(remedy.host),
                                         quoted(remedy.text));
                  }),
        list_json(decision.evictions, [](const std::string& vm) { return quoted(vm); }));
    if (decision.outcome == scheduler::Outcome::kRefused)
        out += fmt::format(R"("error":{},)", quoted(describe(decision.error)));
    out += fmt::format(R"("hosts_considered":{},"revision":{}}})", decision.hosts_considered,
                       decision.revision);
    return out;
}

}  // namespace blixard::controller
