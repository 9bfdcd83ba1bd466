#include "os/host_facts.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "os/files.h"
#include "os/system_error.h"

namespace blixard::os {
namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1);
}

std::int64_t to_number(std::string_view text) {
    std::int64_t number = 0;
    text = trimmed(text);
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

std::vector<NumaFacts> read_numa(const std::string& root) {
    std::vector<NumaFacts> nodes;
    const std::string base = root + "/sys/devices/system/node";
    const auto names = list_directory(base);
    if (!names) return nodes;
    for (const std::string& name : *names) {
        if (!name.starts_with("node") ||
            name.find_first_not_of("0123456789", 4) != std::string::npos || name.size() == 4) {
            continue;
        }
        const auto cpus = read_file(base + "/" + name + "/cpulist");
        const auto memory = read_file(base + "/" + name + "/meminfo");
        if (cpus && memory) {
            nodes.push_back({count_cpu_list(*cpus), parse_meminfo_mib(*memory, "MemTotal")});
        }
    }
    return nodes;
}

}  // namespace

std::int64_t measure_tsc_khz() {
#if defined(__x86_64__)
    const auto nanoseconds = [] {
        timespec now{};
        ::clock_gettime(CLOCK_MONOTONIC_RAW, &now);
        return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
    };
    const timespec pause{0, 20'000'000};
    const std::int64_t began = nanoseconds();
    const std::uint64_t first = __builtin_ia32_rdtsc();
    ::nanosleep(&pause, nullptr);
    const std::uint64_t ticks = __builtin_ia32_rdtsc() - first;
    const std::int64_t passed = nanoseconds() - began;
    return static_cast<std::int64_t>(static_cast<double>(ticks) * 1e6 /
                                     static_cast<double>(passed));
#else
    return 0;
#endif
}

std::vector<std::string> parse_cpu_flags(std::string_view cpuinfo) {
    std::vector<std::string> flags;
    const std::size_t begin = cpuinfo.find("\nflags");
    if (begin == std::string_view::npos) return flags;
    std::string_view line = cpuinfo.substr(begin + 1);
    line = line.substr(0, line.find('\n'));
    line.remove_prefix(std::min(line.find(':') + 1, line.size()));
    while (!(line = trimmed(line)).empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        flags.emplace_back(line.substr(0, end));
        line.remove_prefix(end);
    }
    std::sort(flags.begin(), flags.end());
    return flags;
}

std::int64_t parse_meminfo_mib(std::string_view meminfo, std::string_view field) {
    const std::string wanted = std::string(field) + ":";
    const std::size_t begin = meminfo.find(wanted);
    if (begin == std::string_view::npos) return 0;
    return to_number(meminfo.substr(begin + wanted.size(), 32)) / 1024;
}

std::int64_t count_cpu_list(std::string_view list) {
    std::int64_t count = 0;
    list = trimmed(list);
    while (!list.empty()) {
        const std::size_t comma = std::min(list.find(','), list.size());
        const std::string_view range = list.substr(0, comma);
        const std::size_t dash = range.find('-');
        count += dash == std::string_view::npos
                     ? 1
                     : to_number(range.substr(dash + 1)) - to_number(range.substr(0, dash)) + 1;
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return count;
}

Result<std::string> read_boot_id(const std::string& root) {
    ASSIGN_OR_RETURN(const std::string text, read_file(root + "/proc/sys/kernel/random/boot_id"));
    return std::string(trimmed(text));
}

Result<HostFacts> read_host_facts(const std::string& root) {
    HostFacts facts;
    ASSIGN_OR_RETURN(facts.boot_id, read_boot_id(root));
    ASSIGN_OR_RETURN(const std::string cpuinfo, read_file(root + "/proc/cpuinfo"));
    ASSIGN_OR_RETURN(const std::string meminfo, read_file(root + "/proc/meminfo"));
    facts.features = parse_cpu_flags(cpuinfo);
    facts.memory_mib = parse_meminfo_mib(meminfo, "MemTotal");
    facts.cpus = ::sysconf(_SC_NPROCESSORS_ONLN);
    facts.numa = read_numa(root);
    if (facts.numa.empty()) facts.numa.push_back({facts.cpus, facts.memory_mib});
    utsname names{};
    if (::uname(&names) == 0) {
        facts.host_name = names.nodename;
        facts.kernel_version = names.release;
    }
    return facts;
}

Result<DiskRoom> disk_room(const std::string& path) {
    struct statvfs found{};
    if (::statvfs(path.c_str(), &found) != 0)
        return fail_errno("look at the file system of " + path);
    const auto mib = [&](fsblkcnt_t blocks) {
        return static_cast<std::int64_t>(blocks * found.f_frsize >> 20);
    };
    return DiskRoom{mib(found.f_blocks), mib(found.f_bavail)};
}

}  // namespace blixard::os
