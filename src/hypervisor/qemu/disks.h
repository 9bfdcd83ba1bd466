// Disk files, made with qemu-img, and the guard of those that other hosts can open. Blocking: for
// worker threads.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "hypervisor/hypervisor.h"

namespace blixard::hypervisor {

// Makes the disk where it is missing: an overlay (qcow2), a copy (raw, and all in Ceph) or blank;
// grows it where its volume has grown. Whole or absent, whenever this is interrupted. `node` is
// this host. True: made now; false: it was there.
Result<bool> make_disk(const DiskFile& disk, std::uint64_t epoch, const std::string& node);

Status remove_disk(const std::string& path);  // and its claims; nothing there is fine

// What is said of a shared disk last: beside a file in <path>.epoch, {"volume_epoch", "epoch",
// "node"}, changed under flock; beside a Ceph image see ceph_disk.h. A lower epoch of the volume,
// or with the same one a lower `epoch` of the VM, or the same two of another node, is refused
// (kConflict): a VM that was placed anew cannot be run by its former host from this disk, nor the
// VM that had it before. Who only reads claims nothing.
Status claim_disk(const DiskFile& disk, std::uint64_t epoch, const std::string& node);

}  // namespace blixard::hypervisor
