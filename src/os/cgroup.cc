#include "os/cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "os/files.h"
#include "os/system_error.h"

namespace blixard::os {
namespace {

constexpr std::int64_t kPeriodMicroseconds = 100'000;

// Kernel files are written in one piece, in place.
Status write_value(const std::string& path, const std::string& value) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return fail_errno("open " + path);
    return write_all(fd.get(), value, "write " + value + " to " + path);
}

std::string quota_of(double cpus) {
    const auto quota = static_cast<std::int64_t>(cpus * static_cast<double>(kPeriodMicroseconds));
    return std::to_string(std::max<std::int64_t>(quota, 1000));  // the kernel's smallest
}

}  // namespace

bool is_cgroup2(const std::string& directory) {
    struct statfs found;
    return ::statfs(directory.c_str(), &found) == 0 && found.f_type == CGROUP2_SUPER_MAGIC;
}

Cgroups Cgroups::detect(std::string parent, std::string root) {
    Cgroups found;
    found.root_ = std::move(root);
    found.parent_ = std::move(parent);
    if (const auto controllers = read_file(found.root_ + "/cgroup.controllers")) {
        found.cpu_ = (" " + *controllers).find(" cpu") != std::string::npos;
        found.memory_ = controllers->find("memory") != std::string::npos;
        if (found.cpu_ || found.memory_) found.version_ = Version::kV2;
        return found;
    }
    const auto writable = [&](const std::string& file) {
        return ::access((found.root_ + file).c_str(), W_OK) == 0;
    };
    found.cpu_ = writable("/cpu/cpu.cfs_quota_us") || writable("/cpu/cgroup.procs");
    found.memory_ = writable("/memory/cgroup.procs");
    if (found.cpu_ || found.memory_) found.version_ = Version::kV1;
    return found;
}

std::string Cgroups::describe() const {
    if (version_ == Version::kNone) {
        return "no CPU or memory control group can be written under " + root_ +
               ": limits are not enforced";
    }
    const std::string which = version_ == Version::kV1 ? "version 1" : "version 2";
    const std::string what = cpu_ && memory_ ? "CPU and memory" : cpu_ ? "CPU only" : "memory only";
    return "control groups " + which + ": " + what;
}

std::string Cgroups::directory(const std::string& controller, const std::string& name) const {
    const std::string base = controller.empty() ? root_ : root_ + "/" + controller;
    return base + "/" + parent_ + (name.empty() ? "" : "/" + name);
}

std::vector<std::string> Cgroups::directories(const std::string& name) const {
    if (version_ == Version::kNone) return {};
    if (version_ == Version::kV2) return {directory("", name)};
    std::vector<std::string> all;
    if (cpu_) all.push_back(directory("cpu", name));
    if (memory_) all.push_back(directory("memory", name));
    return all;
}

Status Cgroups::set(const std::string& name, const CgroupLimits& limits) const {
    for (const std::string& path : directories(name)) {
        RETURN_IF_ERROR(make_directories(path, 0755));
    }
    const bool v2 = version_ == Version::kV2;
    if (v2) {
        // A group's children get a controller only when each group above hands it on.
        for (std::string up = root_;; up = directory("", "")) {
            if (cpu_) RETURN_IF_ERROR(write_value(up + "/cgroup.subtree_control", "+cpu"));
            if (memory_) RETURN_IF_ERROR(write_value(up + "/cgroup.subtree_control", "+memory"));
            if (up == directory("", "")) break;
        }
    }
    if (cpu_ && limits.cpus) {
        const std::string quota = quota_of(*limits.cpus);
        const std::string period = std::to_string(kPeriodMicroseconds);
        if (v2) {
            RETURN_IF_ERROR(write_value(directory("", name) + "/cpu.max", quota + " " + period));
        } else {
            RETURN_IF_ERROR(write_value(directory("cpu", name) + "/cpu.cfs_period_us", period));
            RETURN_IF_ERROR(write_value(directory("cpu", name) + "/cpu.cfs_quota_us", quota));
        }
    }
    if (memory_ && limits.memory_bytes) {
        const std::string bytes = std::to_string(*limits.memory_bytes);
        const std::string file = v2 ? directory("", name) + "/memory.max"
                                    : directory("memory", name) + "/memory.limit_in_bytes";
        RETURN_IF_ERROR(write_value(file, bytes));
    }
    return {};
}

std::vector<std::string> Cgroups::member_files(const std::string& name) const {
    std::vector<std::string> files = directories(name);
    for (std::string& path : files) path += "/cgroup.procs";
    return files;
}

Status Cgroups::add(const std::string& name, pid_t pid) const {
    for (const std::string& file : member_files(name)) {
        RETURN_IF_ERROR(write_value(file, std::to_string(pid)));
    }
    return {};
}

Status Cgroups::remove(const std::string& name) const {
    for (const std::string& path : directories(name)) {
        if (::rmdir(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove " + path);
    }
    return {};
}

}  // namespace blixard::os
