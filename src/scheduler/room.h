// The room that is left on a host, as plain numbers: what fits is decided here, and nowhere else.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "scheduler/host.h"
#include "scheduler/names.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

struct NumaRoom {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_mib = 0;

    auto operator<=>(const NumaRoom&) const = default;
};

struct DeviceRoom {
    NameId kind = kNoName;
    std::int32_t count = 0;

    auto operator<=>(const DeviceRoom&) const = default;
};

// Free amounts. They may be negative on a host that was overfilled by force or has shrunk; nothing
// fits there then.
struct Room {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;
    std::uint8_t numa_count = 0;  // 0: the host tells nothing about its nodes
    std::uint8_t gpu_count = 0;
    std::uint8_t device_count = 0;
    std::array<NumaRoom, kNumaNodesMax> numa{};
    std::array<std::int32_t, kGpusMax> gpu_milli{};
    std::array<NameId, kGpusMax> gpu_model{};
    std::array<DeviceRoom, kDeviceKindsMax> devices{};
};

// Which NUMA nodes and GPUs a VM takes, as bits.
struct Take {
    std::uint32_t numa = 0;
    std::uint32_t gpus = 0;

    bool operator==(const Take&) const = default;
};

// What a VM asks of a room, with names resolved. Holds no heap memory.
struct Ask {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;
    NumaPolicy numa = NumaPolicy::kAuto;
    std::int32_t gpu_count = 0;
    std::int32_t gpu_milli = 0;        // of each
    std::uint8_t gpu_model_count = 0;  // 0: any model
    std::uint8_t device_count = 0;
    std::array<NameId, 8> gpu_models{};
    std::array<DeviceRoom, kDeviceKindsMax> devices{};

    bool operator==(const Ask&) const = default;
};

std::uint64_t hash_of(std::initializer_list<std::uint64_t> values);
std::uint64_t ask_hash(const Ask& ask);
// Equal for rooms that are worth the same: GPUs, and NUMA nodes if they are alike, may be in any
// order.
std::uint64_t room_hash(const Room& room, bool nodes_alike);

bool gpu_model_allowed(const Ask& ask, NameId model);

// How a VM lies on the NUMA nodes of a host of this capacity: on one node, or evenly over all of
// them.
bool splits(const Ask& ask, const Room& capacity);
// What each of `nodes` takes when split: rounded up, so that no part is ever short.
NumaRoom split_part(const Ask& ask, int nodes);

// Every way in which the VM can lie in `room`, into `options` (in order of node, then GPU; the
// first is what first-fit takes); returns how many there are. GPUs with equally much free count
// once, by the lowest index.
inline constexpr int kTakesMax = static_cast<int>(kNumaNodesMax * kGpusMax);
struct Takes {
    int count = 0;
    std::array<Take, kTakesMax> options;
};
void list_takes(const Ask& ask, const Room& room, const Room& capacity, Takes& takes);

// True if there is at least one way. `take` gets the first.
bool first_take(const Ask& ask, const Room& room, const Room& capacity, Take& take);

void occupy(Room& room, const Ask& ask, Take take);
void vacate(Room& room, const Ask& ask, Take take);

}  // namespace blixard::scheduler
