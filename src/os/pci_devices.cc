#include "os/pci_devices.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "os/files.h"

namespace blixard::os {
namespace {

constexpr std::string_view kVfio = "vfio-pci";

struct Function {
    std::string address;
    std::string model;
    std::string driver;     // empty: none
    std::string group;      // of the IOMMU; empty: none
    std::string pci_class;  // "0x030000"

    bool display() const { return pci_class.starts_with("0x03"); }
    bool bridge() const { return pci_class.starts_with("0x06"); }
    std::string slot() const { return address.substr(0, address.rfind('.')); }
};

std::string first_word(const std::string& path) {
    const auto text = read_file(path, 4096);
    return text ? text->substr(0, text->find_first_of(" \n")) : std::string{};
}

// The last name of what a symbolic link leads to; empty where there is none.
std::string link_name(const std::string& path) {
    std::error_code error;
    return std::filesystem::read_symlink(path, error).filename().string();
}

std::string without_0x(const std::string& number) {
    return number.starts_with("0x") ? number.substr(2) : number;
}

Function read_function(const std::string& directory, const std::string& address) {
    Function function;
    function.address = address;
    function.model = without_0x(first_word(directory + "/vendor")) + ":" +
                     without_0x(first_word(directory + "/device"));
    function.pci_class = first_word(directory + "/class");
    function.driver = link_name(directory + "/driver");
    function.group = link_name(directory + "/iommu_group");
    return function;
}

// Everything in one IOMMU group can reach the memory of the VM that has a part of it.
void judge_group(const std::vector<Function>& group, PciScan& scan) {
    std::vector<Function> given;
    for (const Function& function : group)
        if (function.driver == kVfio) given.push_back(function);
    if (given.empty()) return;
    for (const Function& other : group) {
        if (other.driver.empty() || other.driver == kVfio || other.driver == "pci-stub" ||
            other.bridge())
            continue;
        scan.refused.push_back(fmt::format(
            "{}: shares IOMMU group {} with {}, which driver {} has: bind that to vfio-pci too",
            given.front().address, other.group, other.address, other.driver));
        return;
    }
    for (const Function& function : given) {
        if (function.slot() == given.front().slot()) continue;
        scan.refused.push_back(fmt::format(
            "{}: shares IOMMU group {} with another device, {}: they cannot go to different VMs; "
            "put one into a slot with access control (ACS)",
            given.front().address, function.group, function.address));
        return;
    }
    std::stable_partition(given.begin(), given.end(),
                          [](const Function& function) { return function.display(); });
    PciDevice device{
        given.front().display() ? "gpu" : "pci", given.front().model, given.front().address, {}};
    for (const Function& function : given) device.functions.push_back(function.address);
    scan.offered.push_back(std::move(device));
}

void scan_functions(const std::string& base, PciScan& scan) {
    const auto addresses = list_directory(base);
    if (!addresses) return;
    std::map<std::string, std::vector<Function>> groups;
    for (const std::string& address : *addresses) {
        Function function = read_function(base + "/" + address, address);
        if (!function.group.empty()) {
            groups[function.group].push_back(std::move(function));
        } else if (function.driver == kVfio) {
            scan.refused.push_back(fmt::format(
                "{}: has no IOMMU group: switch the IOMMU on in the firmware and on the kernel's "
                "command line (intel_iommu=on)",
                address));
        }
    }
    for (const auto& [name, group] : groups) judge_group(group, scan);
}

// <parent>/<uuid>, where the parent is a PCI function
// (Documentation/driver-api/vfio-mediated-device).
void scan_mediated(const std::string& base, PciScan& scan) {
    const auto uuids = list_directory(base);
    if (!uuids) return;
    for (const std::string& uuid : *uuids) {
        std::error_code error;
        const std::filesystem::path real = std::filesystem::canonical(base + "/" + uuid, error);
        const std::string type = link_name(base + "/" + uuid + "/mdev_type");
        if (error || type.empty()) continue;
        const bool display = first_word(real.parent_path().string() + "/class").starts_with("0x03");
        scan.offered.push_back({display ? "gpu" : "pci", type, uuid, {}});
    }
}

}  // namespace

PciScan scan_pci_devices(const std::string& root) {
    PciScan scan;
    scan_functions(root + "/sys/bus/pci/devices", scan);
    scan_mediated(root + "/sys/bus/mdev/devices", scan);
    std::sort(scan.offered.begin(), scan.offered.end(),
              [](const PciDevice& a, const PciDevice& b) { return a.address < b.address; });
    return scan;
}

}  // namespace blixard::os
