#include "scheduler/fragmentation.h"

#include <algorithm>
#include <cmath>

namespace blixard::scheduler {
namespace {

constexpr std::size_t kMemoCells = 1 << 16;  // direct-mapped, 1 MiB

// In GPUs; a VM without any counts a little, as it uses up the CPUs that GPUs need.
double gpu_size(const Ask& ask) {
    return std::max(0.2, static_cast<double>(ask.gpu_count) * ask.gpu_milli / 1000.0);
}

double inverse(double need) { return need > 0 ? 1.0 / need : 0.0; }

// How many times `need` goes into `free`; a need of nothing goes in without end.
double times(std::int64_t free, double need_inverse) {
    if (need_inverse == 0.0) return 1e18;
    return free > 0 ? std::floor(static_cast<double>(free) * need_inverse + 1e-9) : 0.0;
}

}  // namespace

void Fragmentation::learn(const Mix& mix) {
    if (mix.edition() == edition_) return;
    edition_ = mix.edition();
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
        line.weight_gpu = flavour.weight * std::sqrt(gpu_size(ask));
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

// FGD, section 4: all free shares if the flavour cannot run here at all or wants no GPU, else the
// shares on GPUs that have too little left for it.
double Fragmentation::gpus_lost(const Line& line, const Room& room) const {
    std::int64_t free = 0;
    std::int64_t small = 0;
    int fitting = 0;
    for (int i = 0; i < room.gpu_count; ++i) {
        free += room.gpu_milli[i];
        bool fits = room.gpu_milli[i] >= line.ask.gpu_milli &&
                    gpu_model_allowed(line.ask, room.gpu_model[i]);
        fitting += fits ? 1 : 0;
        small += fits ? 0 : room.gpu_milli[i];
    }
    bool runs = line.ask.gpu_count > 0 && fitting >= line.ask.gpu_count &&
                line.ask.cpu_milli <= room.cpu_milli && line.ask.memory_mib <= room.memory_mib &&
                line.ask.disk_mib <= room.disk_mib;
    return static_cast<double>(std::max<std::int64_t>(0, runs ? small : free));
}

double Fragmentation::compute(const Room& room, const Room& capacity) const {
    double cpus = 0.0;
    double gpus = 0.0;
    for (const auto& line : lines_) {
        cpus += line.weight_cpu * cpus_lost(line, room, capacity);
        if (room.gpu_count > 0) gpus += line.weight_gpu * gpus_lost(line, room);
    }
    return (room.gpu_count > 0 ? gpus : cpus) / 1000.0;
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
