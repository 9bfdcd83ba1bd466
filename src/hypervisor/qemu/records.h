// What lies in a VM's directory so that any later daemon finds the VM, or how it ended. Formats:
// one JSON object a file.
//
//   instance.json  which VM the directory belongs to; written first, removed last
//   run.json       {"process": {pid, start, boot_id}, "launch": {...}}; written by the child itself
//   before it becomes QEMU, so
//                  that no QEMU ever runs without its record
//   exit.json      how that process ended; written by the watchdog when it reaps it
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hypervisor/hypervisor.h"
#include "os/process.h"

namespace blixard::hypervisor {

inline constexpr const char* kInstanceFile = "instance.json";
inline constexpr const char* kRunFile = "run.json";
inline constexpr const char* kExitFile = "exit.json";

// The part that the driver knows before there is a process.
struct LaunchRecord {
    InstanceId id;
    bool fenced = false;
    bool held = false;  // started standing: who started it lets it run (arguments.h, is_held)
    std::int64_t generation = 0;
    std::int64_t restart_generation = 0;
    std::string machine;
    std::string accelerator;
    std::string control_group;  // name of its group; empty: none
    WallTime started{};
    std::vector<model::Address> addresses;
    std::vector<std::string> disks;    // paths that it has open
    std::vector<std::string> devices;  // addresses of those of the host that it has
};

struct RunRecord {
    os::ProcessId process;
    std::string boot_id;
    LaunchRecord launch;
};

struct ExitRecord {
    os::ProcessId process;
    os::ExitStatus exit;
    bool by_fencing = false;
    WallTime at{};
};

std::string to_json(const LaunchRecord& launch);
std::string run_record_json(os::ProcessId process, std::string_view boot_id,
                            std::string_view launch_json);
std::string to_json(const ExitRecord& exit);
std::string to_json(const InstanceId& id);

Result<RunRecord> parse_run_record(std::string_view text);
Result<ExitRecord> parse_exit_record(std::string_view text);
Result<InstanceId> parse_instance_id(std::string_view text);

}  // namespace blixard::hypervisor
