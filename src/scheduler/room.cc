#include "scheduler/room.h"

#include <algorithm>
#include <bit>

namespace blixard::scheduler {
namespace {

std::uint64_t mixed(std::uint64_t x) {  // splitmix64 (Steele, Lea, Flood 2014)
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

std::uint64_t joined(std::uint64_t seed, std::int64_t value) {
    return mixed(seed ^ static_cast<std::uint64_t>(value));
}

bool totals_fit(const Ask& ask, const Room& room) {
    return ask.cpu_milli <= room.cpu_milli && ask.memory_mib <= room.memory_mib &&
           ask.disk_mib <= room.disk_mib;
}

bool devices_fit(const Ask& ask, const Room& room) {
    for (int i = 0; i < ask.device_count; ++i) {
        const auto& wanted = ask.devices[i];
        bool found = false;
        for (int j = 0; j < room.device_count && !found; ++j)
            found = room.devices[j].kind == wanted.kind && room.devices[j].count >= wanted.count;
        if (!found) return false;
    }
    return true;
}

bool holds(const NumaRoom& node, const NumaRoom& part) {
    return part.cpu_milli <= node.cpu_milli && part.memory_mib <= node.memory_mib;
}

// The nodes on which the VM can lie, each as a mask of its own; a split VM has one mask of all
// nodes.
int numa_options(const Ask& ask, const Room& room, const Room& capacity,
                 std::array<std::uint32_t, kNumaNodesMax>& masks) {
    if (room.numa_count == 0) {
        masks[0] = 0;
        return 1;
    }
    if (splits(ask, capacity)) {
        auto part = split_part(ask, room.numa_count);
        for (int i = 0; i < room.numa_count; ++i)
            if (!holds(room.numa[i], part)) return 0;
        masks[0] = (1U << room.numa_count) - 1;
        return 1;
    }
    int count = 0;
    for (int i = 0; i < room.numa_count; ++i)
        if (holds(room.numa[i], {ask.cpu_milli, ask.memory_mib})) masks[count++] = 1U << i;
    return count;
}

bool gpu_fits(const Ask& ask, const Room& room, int index) {
    return room.gpu_milli[index] >= ask.gpu_milli && gpu_model_allowed(ask, room.gpu_model[index]);
}

// Several GPUs: the fullest that fit, so that empty ones stay whole.
std::uint32_t fullest_gpus(const Ask& ask, const Room& room) {
    std::uint32_t mask = 0;
    for (int taken = 0; taken < ask.gpu_count; ++taken) {
        int best = -1;
        for (int i = 0; i < room.gpu_count; ++i) {
            if ((mask >> i & 1) != 0 || !gpu_fits(ask, room, i)) continue;
            if (best < 0 || room.gpu_milli[i] < room.gpu_milli[best]) best = i;
        }
        if (best < 0) return 0;
        mask |= 1U << best;
    }
    return mask;
}

int gpu_options(const Ask& ask, const Room& room, std::array<std::uint32_t, kGpusMax>& masks) {
    if (ask.gpu_count == 0) {
        masks[0] = 0;
        return 1;
    }
    if (ask.gpu_count > 1) {
        masks[0] = fullest_gpus(ask, room);
        return masks[0] == 0 ? 0 : 1;
    }
    int count = 0;
    for (int i = 0; i < room.gpu_count; ++i) {
        if (!gpu_fits(ask, room, i)) continue;
        bool twin = false;
        for (int j = 0; j < i && !twin; ++j)
            twin = room.gpu_milli[j] == room.gpu_milli[i] && room.gpu_model[j] == room.gpu_model[i];
        if (!twin) masks[count++] = 1U << i;
    }
    return count;
}

void change(Room& room, const Ask& ask, Take take, std::int64_t sign) {
    room.cpu_milli += sign * ask.cpu_milli;
    room.memory_mib += sign * ask.memory_mib;
    room.disk_mib += sign * ask.disk_mib;
    int nodes = std::popcount(take.numa);
    NumaRoom part = nodes > 1 ? split_part(ask, nodes) : NumaRoom{ask.cpu_milli, ask.memory_mib};
    for (int i = 0; i < room.numa_count; ++i) {
        if ((take.numa >> i & 1) == 0) continue;
        room.numa[i].cpu_milli += sign * part.cpu_milli;
        room.numa[i].memory_mib += sign * part.memory_mib;
    }
    for (int i = 0; i < room.gpu_count; ++i)
        if ((take.gpus >> i & 1) != 0)
            room.gpu_milli[i] += static_cast<std::int32_t>(sign) * ask.gpu_milli;
    for (int i = 0; i < ask.device_count; ++i)
        for (int j = 0; j < room.device_count; ++j)
            if (room.devices[j].kind == ask.devices[i].kind)
                room.devices[j].count += static_cast<std::int32_t>(sign) * ask.devices[i].count;
}

}  // namespace

std::uint64_t hash_of(std::initializer_list<std::uint64_t> values) {
    std::uint64_t hash = values.size();
    for (auto value : values) hash = mixed(hash ^ value);
    return hash;
}

std::uint64_t ask_hash(const Ask& ask) {
    auto hash = joined(joined(joined(joined(2, ask.cpu_milli), ask.memory_mib), ask.disk_mib),
                       static_cast<int>(ask.numa));
    hash = joined(joined(hash, ask.gpu_count), ask.gpu_milli);
    for (int i = 0; i < ask.gpu_model_count; ++i) hash = joined(hash, ask.gpu_models[i]);
    for (int i = 0; i < ask.device_count; ++i)
        hash = joined(joined(hash, ask.devices[i].kind), ask.devices[i].count);
    return hash;
}

std::uint64_t room_hash(const Room& room, bool nodes_alike) {
    auto hash = joined(joined(joined(1, room.cpu_milli), room.memory_mib), room.disk_mib);
    for (int i = 0; i < room.numa_count; ++i) {
        auto seed = static_cast<std::uint64_t>(nodes_alike ? 77 : 100 + i);
        hash += joined(joined(seed, room.numa[i].cpu_milli), room.numa[i].memory_mib);
    }
    for (int i = 0; i < room.gpu_count; ++i)
        hash += joined(joined(1000 + std::uint64_t{room.gpu_model[i]}, room.gpu_milli[i]), 3);
    for (int i = 0; i < room.device_count; ++i)
        hash +=
            joined(joined(5000 + std::uint64_t{room.devices[i].kind}, room.devices[i].count), 5);
    return hash;
}

bool gpu_model_allowed(const Ask& ask, NameId model) {
    if (ask.gpu_model_count == 0) return true;
    for (int i = 0; i < ask.gpu_model_count; ++i)
        if (ask.gpu_models[i] == model) return true;
    return false;
}

bool splits(const Ask& ask, const Room& capacity) {
    if (ask.numa == NumaPolicy::kSplit) return true;
    if (ask.numa == NumaPolicy::kSingle) return false;
    for (int i = 0; i < capacity.numa_count; ++i)
        if (holds(capacity.numa[i], {ask.cpu_milli, ask.memory_mib})) return false;
    return true;
}

NumaRoom split_part(const Ask& ask, int nodes) {
    return {(ask.cpu_milli + nodes - 1) / nodes, (ask.memory_mib + nodes - 1) / nodes};
}

void list_takes(const Ask& ask, const Room& room, const Room& capacity, Takes& takes) {
    takes.count = 0;
    if (!totals_fit(ask, room) || !devices_fit(ask, room)) return;
    std::array<std::uint32_t, kNumaNodesMax> numa;
    std::array<std::uint32_t, kGpusMax> gpus;
    int numa_count = numa_options(ask, room, capacity, numa);
    if (numa_count == 0) return;
    int gpu_count = gpu_options(ask, room, gpus);
    for (int i = 0; i < numa_count; ++i)
        for (int j = 0; j < gpu_count; ++j) takes.options[takes.count++] = {numa[i], gpus[j]};
}

bool first_take(const Ask& ask, const Room& room, const Room& capacity, Take& take) {
    if (!totals_fit(ask, room) || !devices_fit(ask, room)) return false;
    std::array<std::uint32_t, kNumaNodesMax> numa;
    std::array<std::uint32_t, kGpusMax> gpus;
    if (numa_options(ask, room, capacity, numa) == 0 || gpu_options(ask, room, gpus) == 0)
        return false;
    take = {numa[0], gpus[0]};
    return true;
}

void occupy(Room& room, const Ask& ask, Take take) { change(room, ask, take, -1); }
void vacate(Room& room, const Ask& ask, Take take) { change(room, ask, take, +1); }

}  // namespace blixard::scheduler
