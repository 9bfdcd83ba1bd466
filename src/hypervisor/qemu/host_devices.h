// Which devices of the host a VM gets. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/vm.h"
#include "os/pci_devices.h"

namespace blixard::hypervisor {

// For each request the first of `offered` that it allows and nobody has. `taken`: address -> the VM
// that has it. kUnavailable: what was asked for, what is here, and who has it.
Result<std::vector<os::PciDevice>> choose_devices(const std::vector<model::DeviceRequest>& requests,
                                                  const std::vector<os::PciDevice>& offered,
                                                  std::map<std::string, std::string> taken);

}  // namespace blixard::hypervisor
