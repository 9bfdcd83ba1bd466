// The command line of a VM: a pure function of what is wanted, what the host can do, and where the
// files are.
//
// Traps it knows: an idle microvm under TCG burns 5 % of a core (no usable clock source) and hangs
// at boot without its old timers; QEMU's translation cache is sized by the host's memory unless
// told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "hypervisor/hypervisor.h"
#include "os/pci_devices.h"

namespace blixard::hypervisor {

struct QemuHost {
    std::string program = "qemu-system-x86_64";
    bool kvm = false;          // by the probe, not by the device file
    std::int64_t tsc_khz = 0;  // of the host's time stamp counter, which an emulated guest reads as
                               // it is; 0: not known
    std::string uefi_code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
    std::string uefi_variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";  // the template
};

// Inside the VM's directory, in which QEMU runs: names here are relative to it.
struct QemuFiles {
    std::string console_log = "console.log";
    std::string seed;            // the cloud-init seed; empty: none
    std::string uefi_variables;  // this VM's own copy; empty unless the firmware is UEFI
    int monitor_fd = 3;          // listening sockets that QEMU inherits
    int console_fd = 4;
    std::vector<os::PciDevice> devices;  // of the host, for this VM alone
};

// microvm or q35: as asked; auto is microvm only where KVM really runs and the kernel is booted
// directly.
Result<model::Machine> choose_machine(const Launch& launch, const QemuHost& host);

const char* format_name(model::DiskFormat format);  // as QEMU and qemu-img call it

// A disk file as a block device, with QEMU's image lock insisted upon.
std::string file_options(const DiskFile& disk);

std::string disk_id(std::size_t index);  // of a launch's disk, in QEMU

// It is started standing (-S), and runs once it has the locks of its disks in Ceph (ceph_disk.h).
bool is_held(const Launch& launch);

// The whole vector, the program first. All host ports must have been chosen.
Result<std::vector<std::string>> qemu_arguments(const Launch& launch, const QemuHost& host,
                                                const QemuFiles& files);

// 52:54:00:xx:xx:xx, the same for the same VM and place among its network cards.
std::string derived_mac(const std::string& uid, std::size_t index);

// The spec's forwards, with a free port where none is named. `find_free` gives a port that is free
// now.
Result<std::vector<model::Nic>> choose_ports(
    std::vector<model::Nic> nics,
    const std::function<Result<std::int64_t>(const std::string& address, model::Protocol)>&
        find_free);

// Where each forward of `nics` is reached.
std::vector<model::Address> addresses_of(const std::vector<model::Nic>& nics);

// What QEMU itself needs beside the guest's memory: the bound of the VM's memory group.
std::int64_t overhead_mib(const Launch& launch, const QemuHost& host);

}  // namespace blixard::hypervisor
