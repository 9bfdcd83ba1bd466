// Disks in Ceph pools: making, guarding and removing them. Blocking: for worker threads.
//
// Why Ceph's exclusive lock alone guards nothing. A client that has it hands it over, between two
// writes, to any other that asks: two QEMUs on one image write by turns. So a start goes through
// these steps:
//
//   1. claim_ceph_image    our claim is written beside the image; refused where a higher one is
//   2. take_over           whoever has the lock is shut out by Ceph (blocklisted), and loses it
//   3. take_ceph_locks     (ceph_lock.h) QEMU, not running yet (-S), takes the lock; its client
//                          hands it to nobody, and writes nothing without it
//   4. check_held_disk     no higher claim stands there, and the lock is of the client that came
//                          since 2; only then do the processors run
//
// Take a start with a lower claim and one with a higher. Did the lower one look (4) after the
// higher claim was written (1), it saw it and never ran. Did it look before, it had the lock by
// then (3), and the higher one found it there (2) and had it shut out: what it writes from then on,
// Ceph refuses, however long it slept. No clock has a part in this.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "hypervisor/hypervisor.h"
#include "hypervisor/qemu/ceph_image.h"
#include "hypervisor/qemu/claim.h"

namespace blixard::hypervisor {

// Writes our claim down, and only then looks at the others'. kConflict: a higher one is there, or
// the same of another host.
Status claim_ceph_image(const CephImage& image, const Claim& ours);

// Shuts out whoever has the lock, if no higher claim has come meanwhile. The clients that have it
// open still, and may: they have no lock.
Result<std::set<CephClient>> take_over(const CephImage& image, const Claim& ours);

// A disk whose lock QEMU has to hold before its processors run.
struct HeldDisk {
    std::string device;  // its id in QEMU
    CephImage image;
    Claim claim;
    std::set<CephClient> before;  // who had it open before QEMU did
};
Status check_held_disk(const HeldDisk& disk);

// Grows it where it is smaller. False: there is no such image.
Result<bool> grow_ceph_image(const CephImage& image, const Claim& ours, std::int64_t size_mib);

// Blank. Images are always raw.
Status create_ceph_image(const CephImage& image, std::int64_t size_mib);

// With the content of a disk file. Whole or absent, whenever this is interrupted.
Status copy_to_ceph_image(const CephImage& image, std::int64_t size_mib, const Claim& ours,
                          const std::string& path, model::DiskFormat format);

// With its claims and what is left of its making; nothing there is fine. kConflict: somebody has it
// open (a client that died is taken for open for half a minute), or it has snapshots.
Status remove_ceph_image(const CephImage& image);

}  // namespace blixard::hypervisor
