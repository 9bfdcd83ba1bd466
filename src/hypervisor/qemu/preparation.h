// Everything that stands before a QEMU process: directory, disks, seed, sockets, control group,
// command line. Blocking: for worker threads. Each step may be cut off by a kill and is done again,
// or over, by the next start.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "hypervisor/qemu/arguments.h"
#include "hypervisor/qemu/ceph_disk.h"
#include "hypervisor/qemu/records.h"
#include "os/cgroup.h"
#include "os/unique_fd.h"

namespace blixard::hypervisor {

inline constexpr const char* kMonitorSocket = "monitor.sock";
inline constexpr const char* kConsoleSocket = "console.sock";
inline constexpr const char* kErrorLog = "stderr.log";
inline constexpr const char* kSeedFile = "seed.iso";
inline constexpr const char* kUefiVariables = "uefi-variables.fd";

// What a preparation has made, so that a start that fails leaves nothing behind but disks in pools:
// they go with their volumes.
struct Traces {
    std::string directory;
    bool made_directory = false;
    std::vector<std::string> made_disks;  // of this host alone
    std::string control_group;
};

struct Prepared {
    std::vector<std::string> arguments;
    std::vector<std::string> members;  // control group files to join
    LaunchRecord record;
    os::UniqueFd monitor, console, errors;
    std::vector<HeldDisk> held;  // whose locks QEMU takes before it runs
    bool chose_ports = false;    // a port was chosen: another may have taken it meanwhile
    Traces traces;
};

struct PreparationInput {
    Launch launch;
    QemuHost host;
    std::string node;
    std::string directory;               // of this VM
    std::vector<os::PciDevice> devices;  // of this host, for this VM alone
    const os::Cgroups* cgroups = nullptr;
    WallTime now{};
};

// On failure everything that this call made is removed again.
Result<Prepared> prepare(const PreparationInput& input);
void remove_traces(const Traces& traces, const os::Cgroups& cgroups);

// A port of this host that nobody has bound now.
Result<std::int64_t> find_free_port(const std::string& address, model::Protocol protocol);

}  // namespace blixard::hypervisor
