// The requests that make the VMs of a measurement: as large as those of daily life, and stopped.
#pragma once

#include <cstdint>
#include <string>

namespace blixard::bench {

inline constexpr const char* kIdleImage = "bench-idle";

std::string stopped_vm_name(std::uint64_t number);  // "vm-00042"
// POST /v1/vms: labels, a cloud-init, stopped.
std::string create_text(std::uint64_t number);

}  // namespace blixard::bench
