#include "scheduler/fragmentation.h"

#include <algorithm>
#include <cmath>

namespace blixard::scheduler {
namespace {

// What a GPU is worth, so that hosts with and without can be compared: on public price lists it
// costs as much as 8 (T4) to 80 (A100) CPUs.
constexpr double kCpusPerGpu = 16.0;

constexpr std::size_t kMemoCells = 1 << 16;  // direct-mapped, 1 MiB

double inverse(double need) { return need > 0 ? 1.0 / need : 0.0; }

// How many times `need` goes into `free`; a need of nothing goes in without end.
double times(std::int64_t free, double need_inverse) {
    if (need_inverse == 0.0) return 1e18;
    return free > 0 ? std::floor(static_cast<double>(free) * need_inverse + 1e-9) : 0.0;
}

}  // namespace

void Fragmentation::learn(const Mix& mix, std::span<const Room* const> gpu_rooms) {
    gpus_.learn(mix, gpu_rooms);
    lines_.clear();
    memo_.assign(kMemoCells, {});
    double cpus = 0.0;
    for (const auto& flavour : mix.flavours())
        cpus += flavour.weight * static_cast<double>(flavour.ask.cpu_milli);
    for (const auto& flavour : mix.flavours()) {
        const auto& ask = flavour.ask;
        Line line{};
        line.ask = ask;
        line.weight_cpu =
            cpus > 0 ? flavour.weight * static_cast<double>(ask.cpu_milli) / cpus : 0.0;
        line.cpu = static_cast<double>(ask.cpu_milli);
        line.cpu_inverse = inverse(line.cpu);
        line.memory_inverse = inverse(static_cast<double>(ask.memory_mib));
        line.disk_inverse = inverse(static_cast<double>(ask.disk_mib));
        lines_.push_back(line);
    }
}

double Fragmentation::cpus_lost(const Line& line, const Room& room, const Room& capacity) const {
    double most = std::min({times(room.cpu_milli, line.cpu_inverse),
                            times(room.memory_mib, line.memory_inverse),
                            times(room.disk_mib, line.disk_inverse)});
    if (room.numa_count > 0 && splits(line.ask, capacity)) {
        auto part = split_part(line.ask, room.numa_count);
        double cpu = inverse(static_cast<double>(part.cpu_milli));
        double memory = inverse(static_cast<double>(part.memory_mib));
        for (int i = 0; i < room.numa_count; ++i)
            most = std::min(
                {most, times(room.numa[i].cpu_milli, cpu), times(room.numa[i].memory_mib, memory)});
    } else if (room.numa_count > 0) {
        double sum = 0.0;
        for (int i = 0; i < room.numa_count; ++i)
            sum += std::min(times(room.numa[i].cpu_milli, line.cpu_inverse),
                            times(room.numa[i].memory_mib, line.memory_inverse));
        most = std::min(most, sum);
    }
    return std::max(0.0, static_cast<double>(room.cpu_milli) - most * line.cpu);
}

double Fragmentation::compute(const Room& room, const Room& capacity) const {
    if (room.gpu_count > 0 && !gpus_.empty()) return kCpusPerGpu * gpus_.of(room) / 1000.0;
    double cpus = 0.0;
    for (const auto& line : lines_) cpus += line.weight_cpu * cpus_lost(line, room, capacity);
    return cpus / 1000.0;
}

double Fragmentation::lost(const Room& room, const Room& capacity, std::uint64_t kind,
                           bool nodes_alike) const {
    if (lines_.empty()) return 0.0;
    auto key = hash_of({kind, room_hash(room, nodes_alike)});
    auto& cell = memo_[key % kMemoCells];
    if (cell.key != key) cell = {key, compute(room, capacity)};
    return cell.value;
}

}  // namespace blixard::scheduler
