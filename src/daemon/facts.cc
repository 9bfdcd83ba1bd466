#include "daemon/facts.h"

#include <fmt/format.h>

#include <algorithm>

#include "os/command.h"
#include "os/host_facts.h"
#include "os/pci_devices.h"

namespace blixard::daemon {
namespace {

// Flags of /proc/cpuinfo that people place VMs by; all of them would be 100 words a host.
constexpr std::string_view kFeaturesTold[] = {"aes",    "avx",    "avx2", "avx512f", "pdpe1gb",
                                              "sha_ni", "sse4_2", "svm",  "vmx"};

// "QEMU emulator version 7.2.17 (Debian ...)" -> "7.2.17"; empty where there is none.
std::string qemu_version() {
    const Result<std::string> said =
        os::run_checked({"qemu-system-x86_64", "--version"}, seconds(5));
    const std::size_t at = said ? said->find("version ") : std::string::npos;
    if (at == std::string::npos) return {};
    const std::string rest = said->substr(at + 8);
    return rest.substr(0, rest.find_first_of(" \n("));
}

}  // namespace

Result<Found> find_facts(const Config& config, const std::string& boot_file, WallTime now) {
    ASSIGN_OR_RETURN(const os::HostFacts host, os::read_host_facts());
    Found found;
    found.accelerator = hypervisor::probe_accelerator(host.features, host.boot_id, boot_file);
    if (!config.accelerator.empty()) {
        found.accelerator.kvm = config.accelerator == "kvm";
        found.accelerator.reason = fmt::format("{} by configuration; the probe said: {}",
                                               config.accelerator, found.accelerator.reason);
    }
    model::NodeStatus& facts = found.facts;
    facts.uid = host.boot_id;
    facts.advertise = config.advertise;
    facts.version = kVersion;
    facts.qemu_version = qemu_version();
    facts.kernel_version = host.kernel_version;
    facts.accelerator = found.accelerator.name();
    facts.accelerator_reason = found.accelerator.reason;
    facts.boot_id = host.boot_id;
    facts.started_at = to_rfc3339(now);
    facts.cpus = host.cpus;
    facts.memory_mib = host.memory_mib;
    if (const Result<os::DiskRoom> room = os::disk_room(config.data_dir))
        facts.disk_mib = room->size_mib;
    for (const os::NumaFacts& numa : host.numa)
        facts.numa.push_back({.cpus = numa.cpus, .memory_mib = numa.memory_mib});
    for (const std::string_view feature : kFeaturesTold)
        if (std::binary_search(host.features.begin(), host.features.end(), feature))
            facts.features.emplace_back(feature);
    if (found.accelerator.kvm) facts.features.emplace_back("kvm");
    for (os::PciDevice& device : os::scan_pci_devices().offered)
        facts.devices.push_back({.kind = std::move(device.kind),
                                 .model = std::move(device.model),
                                 .address = std::move(device.address)});
    for (const auto& [pool, directory] : config.pools) facts.pools.push_back(pool);
    return found;
}

}  // namespace blixard::daemon
