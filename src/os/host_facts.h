// What this host is: read once at start, and again when somebody asks. Blocking; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::os {

struct NumaFacts {
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
};

struct HostFacts {
    std::string host_name;
    std::string kernel_version;
    std::string boot_id;  // a new one at each boot
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    std::vector<NumaFacts> numa;        // one entry where the kernel names none
    std::vector<std::string> features;  // flags of /proc/cpuinfo, sorted
};

// `root` holds proc/ and sys/ ("" is the host itself; tests bring their own).
Result<HostFacts> read_host_facts(const std::string& root = "");

struct DiskRoom {
    std::int64_t size_mib = 0;
    std::int64_t free_mib = 0;  // for this user
};
Result<DiskRoom> disk_room(const std::string& path);

Result<std::string> read_boot_id(const std::string& root = "");

// The rate of this host's time stamp counter, measured over 20 ms against CLOCK_MONOTONIC_RAW; 0
// where there is none.
std::int64_t measure_tsc_khz();

// Pure parsers of kernel texts.
std::vector<std::string> parse_cpu_flags(std::string_view cpuinfo);
std::int64_t parse_meminfo_mib(std::string_view meminfo,
                               std::string_view field);  // "MemTotal"; 0 where absent
std::int64_t count_cpu_list(std::string_view list);      // "0-3,8" is 5

}  // namespace blixard::os
