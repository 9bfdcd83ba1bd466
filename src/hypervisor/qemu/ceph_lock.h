// Ceph's exclusive locks of a machine's disks, taken before its processors run (step 3 of
// ceph_disk.h). On the loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "hypervisor/qemu/qmp.h"

namespace blixard::hypervisor {

// `devices`: ids of disks in Ceph, of a QEMU that stands before its first instruction. Each is
// resized to the size that it has: of all that a monitor can ask for, the one thing for which
// librbd takes the lock and which changes nothing. Succeeds too where another client has the lock
// and answers: who has it is asked of Ceph afterwards (check_held_disk). A lock of a client that is
// dead is waited for 30 s.
void take_ceph_locks(const std::shared_ptr<QmpConnection>& monitor,
                     std::vector<std::string> devices, Callback<bool> done);

// The size in bytes of each device, as `query-block` says. Pure.
Result<std::int64_t> size_of_device(std::string_view query_block, std::string_view device);

}  // namespace blixard::hypervisor
