// The devices of this host that a VM can be given whole. An operator offers one by binding it to
// the kernel's driver vfio-pci, or by making a mediated device of it. Blocking (sysfs only); any
// thread.
#pragma once

#include <string>
#include <vector>

namespace blixard::os {

// What one VM gets at once: all functions of a device that the IOMMU cannot tell apart.
struct PciDevice {
    std::string kind;     // "gpu" (a display controller) or "pci"
    std::string model;    // "10de:20b0" (vendor:device); of a mediated device its type, "nvidia-63"
    std::string address;  // "0000:01:00.0"; of a mediated device its UUID
    std::vector<std::string> functions;  // PCI addresses, the first is `address`; empty: mediated

    bool operator==(const PciDevice&) const = default;
};

struct PciScan {
    std::vector<PciDevice> offered;    // by address
    std::vector<std::string> refused;  // bound to vfio-pci, and why no VM can be given it
};

// `root` holds sys/ ("" is the host itself; tests bring their own). Without such devices: empty.
PciScan scan_pci_devices(const std::string& root = "");

}  // namespace blixard::os
