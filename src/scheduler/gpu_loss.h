// How much of a host's GPUs is of no use to the VMs that usually come: the measure behind the
// default strategy on hosts with GPUs.
//
// Source: fragmentation gradient descent (Weng et al., "Beware of Fragmentation", USENIX ATC 2023),
// which counts the shares on GPUs that are too full for a flavour. Own additions, both explained in
// README.md: GPUs that the CPUs, memory and disk left over cannot feed count in part, and a flavour
// counts by how scarce the room for it has become.
#pragma once

#include <span>
#include <vector>

#include "scheduler/mix.h"
#include "scheduler/room.h"

namespace blixard::scheduler {

// One thread.
class GpuLoss {
 public:
    // Takes over the flavours that want GPUs. `free` are the rooms of all hosts as they are now, in
    // any order.
    void learn(const Mix& mix, std::span<const Room* const> free);

    // Expected over the mix: the thousandths of GPUs of this room that the flavour cannot use.
    double of(const Room& room) const;

    // True as long as no flavour that wants GPUs has been learnt.
    bool empty() const { return lines_.empty(); }

 private:
    struct Line {
        Ask ask;
        double share;                          // of the requests
        double weight;                         // by scarcity; all sum to 1
        double per_cpu, per_memory, per_disk;  // thousandths of GPUs for each unit; 0: needs none
    };
    std::vector<Line> lines_;  // those that the same GPUs hold stand together
};

// The thousandths of GPUs that VMs like `ask` could take in this room, one resource at a time: GPUs
// with enough left for one of them. 0 if not one fits.
std::int64_t gpu_milli_usable(const Ask& ask, const Room& room);

}  // namespace blixard::scheduler
