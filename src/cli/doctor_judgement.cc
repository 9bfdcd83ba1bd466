#include <fmt/format.h>

#include "cli/doctor.h"
#include "cli/units.h"

namespace blixard::cli {
namespace {

constexpr std::int64_t kMemoryFreeLeastMib = 512;     // a small guest, QEMU and the daemon
constexpr std::int64_t kDiskFreeLeastMib = 2 * 1024;  // a store, an image and some overlays
constexpr std::int64_t kClockErrorMostUs =
    250'000;  // a quarter of the smallest margin between hosts

}  // namespace

Finding judge_kvm(const KvmFacts& facts) {
    if (facts.cpu_flag && facts.device_opens)
        return {"kvm", Health::kOk, "the CPU has virtualisation and /dev/kvm opens", ""};
    if (!facts.cpu_flag && facts.device)
        return {
            "kvm", Health::kWarning,
            "/dev/kvm is there, but the CPU shows no vmx or svm flag: a KVM guest would never run; "
            "VMs are emulated (TCG), about ten times slower",
            "enable nested virtualisation on the machine below this one, or use a bare-metal host"};
    if (!facts.cpu_flag)
        return {
            "kvm", Health::kWarning,
            "no vmx or svm flag in /proc/cpuinfo: VMs are emulated (TCG), about ten times slower",
            "enable virtualisation in the firmware, or nested virtualisation on the machine below"};
    if (!facts.device)
        return {"kvm", Health::kWarning, "the CPU has virtualisation, but there is no /dev/kvm",
                "modprobe kvm_intel (or kvm_amd)"};
    return {"kvm", Health::kWarning, "/dev/kvm may not be opened by this user",
            "run as root, or join its group: usermod -aG kvm USER"};
}

Finding judge_memory(std::int64_t total_mib, std::int64_t available_mib) {
    std::string found =
        fmt::format("{} of {} available", mib_text(available_mib), mib_text(total_mib));
    if (available_mib < kMemoryFreeLeastMib)
        return {"memory", Health::kWarning, found,
                "a small guest takes 150M; free some, or launch with --memory 96M"};
    return {"memory", Health::kOk, found, ""};
}

Finding judge_disk(const std::string& path, std::int64_t size_mib, std::int64_t free_mib) {
    std::string found =
        fmt::format("{} of {} free at {}", mib_text(free_mib), mib_text(size_mib), path);
    if (free_mib < kDiskFreeLeastMib)
        return {"disk", Health::kWarning, found,
                "free some, or give the daemon another --data-dir"};
    return {"disk", Health::kOk, found, ""};
}

Finding judge_program(const std::string& program, const std::string& package,
                      const std::string& found_path, const std::string& version, bool needed,
                      const std::string& what_for) {
    if (found_path.empty())
        return {program, needed ? Health::kFailed : Health::kWarning,
                fmt::format("not found: it is for {}", what_for),
                fmt::format("apt-get install {}", package)};
    return {program, Health::kOk,
            version.empty() ? found_path : fmt::format("{} ({})", version, found_path), ""};
}

Finding judge_clock(bool known, bool synchronised, std::int64_t error_us) {
    if (!known)
        return {"clock", Health::kWarning,
                "the kernel does not say whether the clock is set by NTP", ""};
    if (!synchronised)
        return {"clock", Health::kWarning,
                "the clock is not kept by NTP: fine for one host; hosts of a cluster whose clocks "
                "differ refuse each other",
                "apt-get install chrony"};
    std::string found = fmt::format("kept by NTP, error at most {} ms", error_us / 1000);
    if (error_us > kClockErrorMostUs)
        return {"clock", Health::kWarning, found, "look at: chronyc tracking"};
    return {"clock", Health::kOk, found, ""};
}

Finding judge_devices(const std::vector<std::string>& offered,
                      const std::vector<std::string>& refused) {
    if (!refused.empty())
        return {"devices", Health::kWarning,
                fmt::format("{} for VMs; not given to any: {}", offered.size(),
                            fmt::join(refused, "; ")),
                "bind every function of the IOMMU group to vfio-pci, then restart the daemon"};
    return {"devices", Health::kOk,
            offered.empty()
                ? "none is bound to vfio-pci: VMs are given no GPU or PCI device of this host"
                : fmt::format("for VMs: {}", fmt::join(offered, ", ")),
            ""};
}

Finding judge_strays(const std::string& line) {
    return {"disk files", Health::kWarning, line,
            "look whether somebody misses one, then remove it by hand: Blixard never does"};
}

Finding judge_group(bool exists, bool is_root, bool is_member) {
    if (!exists)
        return {"group", Health::kWarning,
                "there is no group blixard: only root may use the daemon's socket",
                "groupadd --system blixard"};
    if (is_root) return {"group", Health::kOk, "the group blixard exists; this user is root", ""};
    if (!is_member)
        return {"group", Health::kWarning, "this user is not in the group blixard",
                "usermod -aG blixard USER, then log in again"};
    return {"group", Health::kOk, "this user is in the group blixard", ""};
}

}  // namespace blixard::cli
