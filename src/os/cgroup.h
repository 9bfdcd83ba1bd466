// CPU and memory limits by control groups, version 1 or 2, whichever has its controllers mounted.
// Where neither is there, limits are not enforced and describe() says so. Blocking, but only on
// kernel files. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "os/process.h"

namespace blixard::os {

struct CgroupLimits {
    std::optional<double> cpus;                 // 1.5: one and a half processors' time
    std::optional<std::uint64_t> memory_bytes;  // beyond it the kernel kills
};

// `directory` is a group of version 2, which a child can be born in (SpawnOptions::cgroup).
bool is_cgroup2(const std::string& directory);

class Cgroups {
 public:
    enum class Version : std::uint8_t { kNone, kV1, kV2 };

    // Looks under `root`; groups are made as <controller>/<parent>/<name>.
    static Cgroups detect(std::string parent, std::string root = "/sys/fs/cgroup");

    Version version() const { return version_; }
    std::string describe() const;  // for people: what is enforced here, or why nothing is

    // Makes or updates the group; where there are no control groups it does nothing and succeeds.
    Status set(const std::string& name, const CgroupLimits& limits) const;

    // The files a process's pid is written to so that it joins the group. Empty where nothing is
    // enforced.
    std::vector<std::string> member_files(const std::string& name) const;
    Status add(const std::string& name, pid_t pid) const;

    // Removes a group without members; a missing one is removed already.
    Status remove(const std::string& name) const;

 private:
    Version version_ = Version::kNone;
    std::string root_, parent_;
    bool cpu_ = false, memory_ = false;

    std::string directory(const std::string& controller, const std::string& name) const;
    std::vector<std::string> directories(const std::string& name) const;
};

}  // namespace blixard::os
