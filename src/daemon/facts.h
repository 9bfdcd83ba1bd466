// What this host tells the cluster about itself.
#pragma once

#include <string>

#include "base/result.h"
#include "daemon/config.h"
#include "hypervisor/qemu/accelerator.h"
#include "model/node.h"

namespace blixard::daemon {

inline constexpr std::string_view kVersion = "0.1.0";

struct Found {
    model::NodeStatus facts;
    hypervisor::Accelerator accelerator;
};

// Blocking: the KVM probe takes up to a second, once a boot. `boot_file` remembers its answer.
Result<Found> find_facts(const Config& config, const std::string& boot_file, WallTime now);

}  // namespace blixard::daemon
