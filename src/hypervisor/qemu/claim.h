// Who may open a shared disk. A claim is what was written down about it last, in the side file of a
// file and in the claims of a Ceph image. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace blixard::hypervisor {

struct Claim {
    std::uint64_t volume_epoch = 0, epoch = 0;  // of the volume, then of its VM
    std::string node;

    bool operator==(const Claim&) const = default;
};

// "epoch 3 of the volume, 7 of its VM, on host h2"
std::string to_text(const Claim& claim);

// A lower pair of epochs than the one that holds the disk is refused, and the same pair of another
// host (kConflict). A claim without a node holds nothing.
Status check_claim(const Claim& held, const Claim& ours, const std::string& disk);

}  // namespace blixard::hypervisor
