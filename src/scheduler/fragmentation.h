// How much of a host's room is of no use to the VMs that usually come: the measure behind the
// default strategy.
//
// Hosts with GPUs: gpu_loss.h. The same idea for CPUs on NUMA nodes, where what counts is how many
// copies of each flavour still fit, stands here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "scheduler/gpu_loss.h"
#include "scheduler/mix.h"
#include "scheduler/room.h"

namespace blixard::scheduler {

// The loss of room under one edition of the mix. Keeps what it has computed; one thread.
class Fragmentation {
 public:
    // Takes over a new edition. `gpu_rooms` are the rooms of all hosts with GPUs that take VMs.
    void learn(const Mix& mix, std::span<const Room* const> gpu_rooms);

    // Expected over the mix: the CPUs of this room that the flavour cannot use. On a host with GPUs
    // it is the GPUs, each counted as 16 CPUs, once anyone has asked for GPUs.
    double lost(const Room& room, const Room& capacity, std::uint64_t kind, bool nodes_alike) const;
    // The same, computed anew: what the memory holds.
    double compute(const Room& room, const Room& capacity) const;

 private:
    struct Line {  // a flavour, ready for the inner loop
        Ask ask;
        double weight_cpu;  // share of all CPUs asked for
        double cpu, cpu_inverse, memory_inverse, disk_inverse;
    };
    struct Memo {
        std::uint64_t key = 0;
        double value = 0.0;
    };

    double cpus_lost(const Line& line, const Room& room, const Room& capacity) const;

    std::vector<Line> lines_;
    GpuLoss gpus_;
    mutable std::vector<Memo> memo_;
};

}  // namespace blixard::scheduler
