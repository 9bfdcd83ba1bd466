#include "scheduler/fragmentation.h"

#include <algorithm>

namespace blixard::scheduler {
namespace {

std::int64_t copies_in(std::int64_t free, std::int64_t need) {
    return need <= 0 ? INT64_MAX : std::max<std::int64_t>(0, free) / need;
}

// How many such VMs fit beside each other.
std::int64_t copies(const Ask& ask, const Room& room, const Room& capacity) {
    std::int64_t most = std::min({copies_in(room.cpu_milli, ask.cpu_milli),
                                  copies_in(room.memory_mib, ask.memory_mib),
                                  copies_in(room.disk_mib, ask.disk_mib)});
    if (room.numa_count == 0) return most;
    if (splits(ask, capacity)) {
        auto part = split_part(ask, room.numa_count);
        for (int i = 0; i < room.numa_count; ++i)
            most = std::min({most, copies_in(room.numa[i].cpu_milli, part.cpu_milli),
                             copies_in(room.numa[i].memory_mib, part.memory_mib)});
        return most;
    }
    std::int64_t sum = 0;
    for (int i = 0; i < room.numa_count; ++i)
        sum += std::min(copies_in(room.numa[i].cpu_milli, ask.cpu_milli),
                        copies_in(room.numa[i].memory_mib, ask.memory_mib));
    return std::min(most, sum);
}

}  // namespace

double room_lost(const std::vector<Flavour>& mix, const Room& room, const Room& capacity) {
    double lost = 0.0;
    for (const auto& flavour : mix) {
        auto usable = copies(flavour.ask, room, capacity) * flavour.ask.cpu_milli;
        lost += flavour.weight *
                static_cast<double>(std::max<std::int64_t>(0, room.cpu_milli - usable));
    }
    return lost / 1000.0;
}

}  // namespace blixard::scheduler
