#include "hypervisor/qemu/host_devices.h"

#include <fmt/format.h>

#include <algorithm>

namespace blixard::hypervisor {
namespace {

bool allows(const model::DeviceRequest& request, const os::PciDevice& device) {
    const auto& models = request.models;
    return request.kind == device.kind &&
           (models.empty() ||
            std::find(models.begin(), models.end(), device.model) != models.end());
}

Error shortage(const model::DeviceRequest& request, const std::vector<os::PciDevice>& offered,
               const std::map<std::string, std::string>& taken) {
    std::string found;
    for (const os::PciDevice& device : offered) {
        if (!allows(request, device)) continue;
        const auto holder = taken.find(device.address);
        found += fmt::format("{}{} ({})", found.empty() ? "" : ", ", device.address,
                             holder == taken.end() ? "free" : "with VM " + holder->second);
    }
    return {ErrorCode::kUnavailable,
            fmt::format("needs {} {}{}{} of this host; it has {}", request.count, request.kind,
                        request.models.empty() ? "" : " ", fmt::join(request.models, " or "),
                        found.empty() ? "none" : found),
            {},
            "a device is offered by binding it to the driver vfio-pci (see: blixard doctor)"};
}

}  // namespace

Result<std::vector<os::PciDevice>> choose_devices(const std::vector<model::DeviceRequest>& requests,
                                                  const std::vector<os::PciDevice>& offered,
                                                  std::map<std::string, std::string> taken) {
    std::vector<os::PciDevice> chosen;
    for (const model::DeviceRequest& request : requests) {
        const std::map<std::string, std::string> before = taken;
        std::int64_t missing = request.count;
        for (const os::PciDevice& device : offered) {
            if (missing == 0) break;
            if (!allows(request, device) || taken.contains(device.address)) continue;
            taken[device.address] = "itself";
            chosen.push_back(device);
            --missing;
        }
        if (missing > 0) return fail(shortage(request, offered, before));
    }
    return chosen;
}

}  // namespace blixard::hypervisor
