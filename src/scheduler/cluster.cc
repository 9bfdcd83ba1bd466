#include "scheduler/cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/assert.h"
#include "base/counted.h"

namespace blixard::scheduler {
namespace {

std::int64_t gpu_total(const Request& request) {
    return std::int64_t{request.gpu.count} * request.gpu.milli_each;
}

void add_usage(Usage& usage, const Request& request, std::int64_t sign) {
    usage.used.cpu_milli += sign * request.need.cpu_milli;
    usage.used.memory_mib += sign * request.need.memory_mib;
    usage.used.disk_mib += sign * request.need.disk_mib;
    usage.gpu_milli += sign * gpu_total(request);
    usage.vms += sign;
}

// The same kind named twice counts together.
void add_device(std::array<DeviceRoom, kDeviceKindsMax>& devices, std::uint8_t& used, NameId kind,
                std::int32_t count) {
    for (int i = 0; i < used; ++i)
        if (devices[i].kind == kind) {
            devices[i].count += count;
            return;
        }
    if (used < devices.size()) devices[used++] = {kind, count};
}

std::uint64_t kind_of(const HostSlot& host) {
    auto kind =
        hash_of({room_hash(host.capacity, false), host.accelerator,
                 std::bit_cast<std::uint64_t>(host.spec.cost_per_hour), host.features.size()});
    for (auto feature : host.features) kind = hash_of({kind, feature});
    return kind;
}

std::uint64_t shape_hash(const HostSlot& host) {
    if (host.spec.state != HostState::kReady || host.reservation) return 0;
    return hash_of({host.kind, room_hash(host.free, host.nodes_alike)}) | 1;
}

const std::string kEmpty;
const Usage kNoUsage;

}  // namespace

Cluster::Cluster() : zone_key_(names_.intern("zone")) {}

void Cluster::fill_slot(HostSlot& slot) {
    const Host& host = slot.spec;
    auto total = effective(host.capacity, host.overcommit);
    Room room;
    room.cpu_milli = total.cpu_milli;
    room.memory_mib = total.memory_mib;
    room.disk_mib = total.disk_mib;
    for (const auto& node : host.numa) {
        auto part = effective({node.cpu_milli, node.memory_mib, 0}, host.overcommit);
        room.numa[room.numa_count++] = {part.cpu_milli, part.memory_mib};
    }
    for (const auto& gpu : host.gpus) {
        room.gpu_model[room.gpu_count] = names_.intern(gpu.model);
        room.gpu_milli[room.gpu_count++] = gpu.milli;
    }
    for (const auto& device : host.devices)
        add_device(room.devices, room.device_count, names_.intern(device.kind), device.count);
    slot.capacity = room;
    slot.labels.clear();
    for (const auto& label : host.labels)
        slot.labels.push_back(label_id(names_.intern(label.key), names_.intern(label.value)));
    if (!host.zone.empty()) slot.labels.push_back(label_id(zone_key_, names_.intern(host.zone)));
    std::sort(slot.labels.begin(), slot.labels.end());
    slot.features.clear();
    for (const auto& feature : host.features) slot.features.push_back(names_.intern(feature));
    std::sort(slot.features.begin(), slot.features.end());
    slot.accelerator = names_.intern(host.accelerator);
    slot.name = names_.intern(host.name);
    slot.free = room;
    for (VmIndex index : slot.vms) {
        // A device kind or model that was unknown when the VM was placed may be known now.
        vms_[index].ask = ask_of(*vms_[index].request);
        occupy(slot.free, vms_[index].ask, vms_[index].take);
    }
    slot.nodes_alike = std::all_of(room.numa.begin(), room.numa.begin() + room.numa_count,
                                   [&](const NumaRoom& node) { return node == room.numa[0]; });
    slot.kind = kind_of(slot);
}

void Cluster::reshape(HostIndex index) {
    if (shapes_.valid()) shapes_.put(index, hosts_[index].rank, shape_hash(hosts_[index]));
}

Shapes& Cluster::shapes() const {
    if (!shapes_.valid()) {
        shapes_.start(hosts_.size());
        for (HostIndex index : by_rank_)
            shapes_.put(index, hosts_[index].rank, shape_hash(hosts_[index]));
    }
    return shapes_;
}

void Cluster::insert_rank(HostIndex index) {
    auto at = std::lower_bound(
        by_rank_.begin(), by_rank_.end(), hosts_[index].spec.name,
        [&](HostIndex other, const std::string& name) { return hosts_[other].spec.name < name; });
    auto first = static_cast<std::uint32_t>(at - by_rank_.begin());
    by_rank_.insert(at, index);
    for (auto rank = first; rank < by_rank_.size(); ++rank) hosts_[by_rank_[rank]].rank = rank;
}

Status Cluster::upsert_host(Host host) {
    RETURN_IF_ERROR(validate(host));
    auto index = find_host(host.name);
    if (index != kNoHost) {
        hosts_[index].spec = std::move(host);
        fill_slot(hosts_[index]);
        reshape(index);
        return {};
    }
    if (hosts_unused_.empty()) {
        index = static_cast<HostIndex>(hosts_.size());
        hosts_.emplace_back();
    } else {
        index = hosts_unused_.back();
        hosts_unused_.pop_back();
        hosts_[index] = {};
    }
    auto& slot = hosts_[index];
    slot.spec = std::move(host);
    slot.present = true;
    fill_slot(slot);
    host_by_name_.emplace(slot.spec.name, index);
    insert_rank(index);
    shapes_.invalidate();
    return {};
}

Status Cluster::remove_host(std::string_view name) {
    auto index = find_host(name);
    if (index == kNoHost)
        return fail(ErrorCode::kNotFound, fmt::format("host {} is not known", name));
    auto& slot = hosts_[index];
    if (!slot.vms.empty())
        return fail(ErrorCode::kConflict,
                    fmt::format("host {} still has {}", name, counted(slot.vms.size(), "VM")),
                    "drain it first");
    unreserve(name);
    by_rank_.erase(by_rank_.begin() + slot.rank);
    for (auto rank = slot.rank; rank < by_rank_.size(); ++rank) hosts_[by_rank_[rank]].rank = rank;
    host_by_name_.erase(host_by_name_.find(name));
    slot.present = false;
    shapes_.invalidate();
    hosts_unused_.push_back(index);
    return {};
}

Status Cluster::set_host_state(std::string_view name, HostState state) {
    auto index = find_host(name);
    if (index == kNoHost)
        return fail(ErrorCode::kNotFound, fmt::format("host {} is not known", name));
    hosts_[index].spec.state = state;
    reshape(index);
    return {};
}

void Cluster::reserve(std::string_view host, const Request& request) {
    auto index = find_host(host);
    if (index == kNoHost) return;
    if (!hosts_[index].reservation) ++reserved_;
    hosts_[index].reservation = HostReservation{request.vm, request.priority, request.created};
    reshape(index);
}

void Cluster::unreserve(std::string_view host) {
    auto index = find_host(host);
    if (index == kNoHost || !hosts_[index].reservation) return;
    --reserved_;
    hosts_[index].reservation.reset();
    reshape(index);
}

Status Cluster::place(std::shared_ptr<const Request> request, std::string_view host,
                      const Assignment& assignment) {
    auto index = find_host(host);
    if (index == kNoHost)
        return fail(ErrorCode::kNotFound,
                    fmt::format("vm {}: host {} is not known", request->vm, host));
    return place(std::move(request), Spot{index, take_of(assignment), 0.0});
}

Status Cluster::place(std::shared_ptr<const Request> request, const Spot& spot) {
    ASSERT(request != nullptr);
    if (spot.host >= hosts_.size() || !hosts_[spot.host].present)
        return fail(ErrorCode::kNotFound, fmt::format("vm {}: that host is gone", request->vm));
    if (auto old = find_vm(request->vm); old != kNoVm)
        return fail(ErrorCode::kExists, fmt::format("vm {} already lies on {}", request->vm,
                                                    hosts_[vms_[old].host].spec.name));
    VmIndex index;
    if (vms_unused_.empty()) {
        index = static_cast<VmIndex>(vms_.size());
        vms_.emplace_back();
    } else {
        index = vms_unused_.back();
        vms_unused_.pop_back();
    }
    auto& slot = vms_[index];
    slot.ask = ask_of(*request);
    slot.request = std::move(request);
    slot.host = spot.host;
    slot.take = spot.take;
    slot.present = true;
    count_in(index);
    return {};
}

Status Cluster::release(std::string_view vm) {
    auto index = find_vm(vm);
    if (index == kNoVm) return fail(ErrorCode::kNotFound, fmt::format("vm {} has no place", vm));
    count_out(index);
    vms_unused_.push_back(index);
    return {};
}

void Cluster::count_in(VmIndex index) {
    auto& slot = vms_[index];
    auto& host = hosts_[slot.host];
    occupy(host.free, slot.ask, slot.take);
    reshape(slot.host);
    host.last_placed = ++placements_;
    slot.position_on_host = static_cast<std::uint32_t>(host.vms.size());
    host.vms.push_back(index);
    table_.insert(slot.request->vm, index);
    slot.label_positions.clear();
    for (const auto& label : slot.request->labels) {
        auto& list = by_label_[label_id(names_.intern(label.key), names_.intern(label.value))];
        slot.label_positions.push_back(static_cast<std::uint32_t>(list.size()));
        list.push_back(index);
    }
    slot.placement = placements_;
    for (const auto& rule : slot.request->affinities)
        if (rule.anti && rule.hard) owners_of(rule.target).push_back(index);
    auto usage = usage_.find(slot.request->project);
    if (usage == usage_.end()) usage = usage_.emplace(slot.request->project, Usage{}).first;
    add_usage(usage->second, *slot.request, +1);
}

void Cluster::count_out(VmIndex index) {
    auto& slot = vms_[index];
    auto& host = hosts_[slot.host];
    vacate(host.free, slot.ask, slot.take);
    reshape(slot.host);
    host.vms[slot.position_on_host] = host.vms.back();
    vms_[host.vms.back()].position_on_host = slot.position_on_host;
    host.vms.pop_back();
    table_.erase(slot.request->vm, index);
    for (std::size_t i = 0; i < slot.request->labels.size(); ++i) {
        const auto& label = slot.request->labels[i];
        auto id = label_id(names_.find(label.key), names_.find(label.value));
        auto& list = by_label_.find(id)->second;
        auto last = list.back();
        list[slot.label_positions[i]] = last;
        const auto& moved = vms_[last].request->labels;
        for (std::size_t j = 0; j < moved.size(); ++j)
            if (moved[j] == label && vms_[last].label_positions[j] == list.size() - 1)
                vms_[last].label_positions[j] = slot.label_positions[i];
        list.pop_back();
    }
    for (const auto& rule : slot.request->affinities)
        if (rule.anti && rule.hard) std::erase(owners_of(rule.target), index);
    add_usage(usage_.find(slot.request->project)->second, *slot.request, -1);
    slot.request.reset();
    slot.present = false;
    slot.host = kNoHost;
}

void Cluster::observe(const Request& request) {
    auto edition = mix_.edition();
    mix_.observe(ask_of(request));
    if (mix_.edition() == edition) return;
    std::vector<const Room*> gpu_rooms;
    for (HostIndex index : by_rank_) {
        const auto& host = hosts_[index];
        if (host.capacity.gpu_count > 0 && host.spec.state == HostState::kReady)
            gpu_rooms.push_back(&host.free);
    }
    fragmentation_.learn(mix_, gpu_rooms);
}

HostIndex Cluster::find_host(std::string_view name) const {
    auto found = host_by_name_.find(name);
    return found == host_by_name_.end() ? kNoHost : found->second;
}

VmIndex Cluster::find_vm(std::string_view key) const {
    return table_.find(key,
                       [&](VmIndex slot) -> std::string_view { return vms_[slot].request->vm; });
}

const std::string& Cluster::host_of(std::string_view vm) const {
    auto index = find_vm(vm);
    return index == kNoVm ? kEmpty : hosts_[vms_[index].host].spec.name;
}

std::span<const VmIndex> Cluster::vms_with_label(LabelId label) const {
    auto found = by_label_.find(label);
    if (found == by_label_.end()) return {};
    return found->second;
}

std::vector<VmIndex>& Cluster::owners_of(const Selector& target) {
    if (!target.vm.empty()) return anti_by_vm_[target.vm];
    const auto& first = target.labels.front();
    return anti_by_label_[label_id(names_.intern(first.key), names_.intern(first.value))];
}

std::vector<VmIndex> Cluster::vms_that_may_forbid(const Request& request) const {
    std::vector<VmIndex> owners;
    const auto add = [&](const std::vector<VmIndex>& some) {
        owners.insert(owners.end(), some.begin(), some.end());
    };
    if (const auto found = anti_by_vm_.find(request.vm); found != anti_by_vm_.end())
        add(found->second);
    for (const auto& label : request.labels) {
        const auto id = label_id(names_.find(label.key), names_.find(label.value));
        if (const auto found = anti_by_label_.find(id); found != anti_by_label_.end())
            add(found->second);
    }
    std::sort(owners.begin(), owners.end(),
              [&](VmIndex a, VmIndex b) { return vms_[a].placement < vms_[b].placement; });
    owners.erase(std::unique(owners.begin(), owners.end()), owners.end());
    return owners;
}

const Usage& Cluster::usage(std::string_view project) const {
    auto found = usage_.find(project);
    return found == usage_.end() ? kNoUsage : found->second;
}

Ask Cluster::ask_of(const Request& request) const {
    Ask ask;
    ask.cpu_milli = request.need.cpu_milli;
    ask.memory_mib = request.need.memory_mib;
    ask.disk_mib = request.need.disk_mib;
    ask.numa = request.numa;
    ask.gpu_count = request.gpu.count;
    ask.gpu_milli = request.gpu.count > 0 ? request.gpu.milli_each : 0;
    for (const auto& model : request.gpu.models)
        if (ask.gpu_model_count < ask.gpu_models.size())
            ask.gpu_models[ask.gpu_model_count++] = names_.find(model);
    for (const auto& device : request.devices)
        add_device(ask.devices, ask.device_count, names_.find(device.kind), device.count);
    return ask;
}

Assignment Cluster::assignment_of(Take take) const {
    Assignment assignment;
    write_assignment(take, assignment);
    return assignment;
}

void Cluster::write_assignment(Take take, Assignment& assignment) const {
    assignment.numa_nodes.clear();
    assignment.gpus.clear();
    for (int i = 0; i < 32; ++i) {
        if ((take.numa >> i & 1) != 0) assignment.numa_nodes.push_back(i);
        if ((take.gpus >> i & 1) != 0) assignment.gpus.push_back(i);
    }
}

Take Cluster::take_of(const Assignment& assignment) const {
    Take take;
    for (auto node : assignment.numa_nodes)
        if (node >= 0 && node < static_cast<int>(kNumaNodesMax)) take.numa |= 1U << node;
    for (auto gpu : assignment.gpus)
        if (gpu >= 0 && gpu < static_cast<int>(kGpusMax)) take.gpus |= 1U << gpu;
    return take;
}

NameId Cluster::label_value(const HostSlot& host, NameId key) const {
    auto at = std::lower_bound(host.labels.begin(), host.labels.end(), label_id(key, 0));
    return at != host.labels.end() && (*at >> 32) == key ? static_cast<NameId>(*at & UINT32_MAX)
                                                         : kNoName;
}

}  // namespace blixard::scheduler
