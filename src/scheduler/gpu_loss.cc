#include "scheduler/gpu_loss.h"

#include <algorithm>
#include <limits>

namespace blixard::scheduler {
namespace {

// What a GPU counts, as a part of a lost one, if it is free but the CPUs, memory or disk for it are
// taken. Less than 1: VMs smaller than the flavour may still come and use it. The result hardly
// depends on it from 0.15 to 0.5.
constexpr double kUnfed = 0.25;
constexpr double kSupplyMin = 1000.0;  // one GPU: what is all but gone counts no more than this

double wanted(const Ask& ask) { return static_cast<double>(ask.gpu_count) * ask.gpu_milli; }

double ratio(double gpu_milli, std::int64_t need) {
    return need > 0 ? gpu_milli / static_cast<double>(need) : 0.0;
}

// The GPUs that `free` of another resource is enough for; of a resource that is not needed there is
// always enough.
double feeds(std::int64_t free, double gpu_milli_per_unit) {
    return gpu_milli_per_unit > 0.0 ? static_cast<double>(free) * gpu_milli_per_unit
                                    : std::numeric_limits<double>::infinity();
}

std::int64_t free_on(const Room& room, int gpu) {
    return std::max<std::int64_t>(0, room.gpu_milli[gpu]);
}

// The GPUs with enough left for one share of `ask`, and what is free on them together.
struct Held {
    std::int32_t gpus = 0;
    std::int64_t milli = 0;
};

Held held_by(const Ask& ask, const Room& room) {
    Held held;
    for (int i = 0; i < room.gpu_count; ++i) {
        if (room.gpu_milli[i] < ask.gpu_milli || !gpu_model_allowed(ask, room.gpu_model[i]))
            continue;
        ++held.gpus;
        held.milli += free_on(room, i);
    }
    return held;
}

std::int64_t usable(const Ask& ask, const Room& room, const Held& held) {
    bool runs = held.gpus >= ask.gpu_count && ask.cpu_milli <= room.cpu_milli &&
                ask.memory_mib <= room.memory_mib && ask.disk_mib <= room.disk_mib;
    return runs ? held.milli : 0;
}

// True if the same GPUs hold them.
bool alike(const Ask& a, const Ask& b) {
    return a.gpu_milli == b.gpu_milli && a.gpu_model_count == b.gpu_model_count &&
           a.gpu_models == b.gpu_models;
}

}  // namespace

std::int64_t gpu_milli_usable(const Ask& ask, const Room& room) {
    return usable(ask, room, held_by(ask, room));
}

// A flavour's weight is its share of the requests over the room that is left for it in the whole
// cluster: what one unit of that room is worth to it. A flavour that has no room anywhere cannot be
// helped by sparing some, so it has no say.
void GpuLoss::learn(const Mix& mix, std::span<const Room* const> free) {
    lines_.clear();
    double total = 0.0;
    double total_share = 0.0;
    for (const auto& flavour : mix.flavours()) {
        const auto& ask = flavour.ask;
        if (ask.gpu_count == 0) continue;
        std::int64_t supply = 0;
        for (const Room* room : free) supply += gpu_milli_usable(ask, *room);
        double weight =
            supply > 0 ? flavour.weight / std::max(kSupplyMin, static_cast<double>(supply)) : 0.0;
        auto like = std::find_if(lines_.rbegin(), lines_.rend(),
                                 [&](const Line& line) { return alike(line.ask, ask); });
        lines_.insert(like.base() == lines_.begin() ? lines_.end() : like.base(),
                      {ask, flavour.weight, weight, ratio(wanted(ask), ask.cpu_milli),
                       ratio(wanted(ask), ask.memory_mib), ratio(wanted(ask), ask.disk_mib)});
        total += weight;
        total_share += flavour.weight;
    }
    // There is no room for any of them: none is scarcer than another.
    for (auto& line : lines_)
        line.weight = total > 0.0 ? line.weight / total : line.share / total_share;
}

double GpuLoss::of(const Room& room) const {
    std::int64_t free = 0;
    for (int i = 0; i < room.gpu_count; ++i) free += free_on(room, i);
    if (free == 0) return 0.0;
    double lost = 0.0;
    Held held;
    const Ask* whose = nullptr;  // GPUs `held` are: those that are alike stand together
    for (const auto& line : lines_) {
        if (line.weight == 0.0) continue;
        if (whose == nullptr || !alike(*whose, line.ask)) held = held_by(line.ask, room);
        whose = &line.ask;
        auto could = static_cast<double>(usable(line.ask, room, held));
        double fed = could;
        if (could > 0.0)
            fed = std::min({could, feeds(room.cpu_milli, line.per_cpu),
                            feeds(room.memory_mib, line.per_memory),
                            feeds(room.disk_mib, line.per_disk)});
        lost += line.weight * (static_cast<double>(free) - could + kUnfed * (could - fed));
    }
    return lost;
}

}  // namespace blixard::scheduler
