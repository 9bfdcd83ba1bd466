#include "hypervisor/qemu/claim.h"

#include <tuple>

namespace blixard::hypervisor {

std::string to_text(const Claim& claim) {
    std::string text = "epoch ";
    if (claim.volume_epoch != 0) text += std::to_string(claim.volume_epoch) + " of the volume, ";
    return text + std::to_string(claim.epoch) + " of its VM, on host " + claim.node;
}

Status check_claim(const Claim& held, const Claim& ours, const std::string& disk) {
    const auto order = [](const Claim& claim) { return std::tie(claim.volume_epoch, claim.epoch); };
    const bool same_epochs = order(held) == order(ours);
    const bool elsewhere = same_epochs && !held.node.empty() && held.node != ours.node;
    if (order(held) <= order(ours) && !elsewhere) return {};
    return fail(
        ErrorCode::kConflict,
        "disk " + disk + " belongs to " + to_text(held) + "; this is " + to_text(ours),
        "the VM, or the volume, is somewhere else by now: nothing is to be done on this host");
}

}  // namespace blixard::hypervisor
