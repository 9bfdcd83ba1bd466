// One VM that wants a place, and all that limits or guides the choice.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "scheduler/host.h"

namespace blixard::scheduler {

enum class Strategy : std::uint8_t {
    kMostAvailable,
    kLeastAvailable,
    kRoundRobin,
    kManual,
    kPriority,
    kLocality,
    kSpread,
    kCost,
    kFragmentation,
};
inline constexpr int kStrategies = 9;
std::string_view strategy_name(Strategy strategy);  // "most-available" ...
Result<Strategy> parse_strategy(std::string_view name);

enum class NumaPolicy : std::uint8_t {
    kAuto,    // one node if the VM is small enough for one when empty, else split
    kSingle,  // one node or nothing
    kSplit,   // evenly over all nodes of the host
};

// Which VMs a rule speaks of: one VM by its key, or all VMs that carry every label. Exactly one of
// the two is set.
struct Selector {
    std::string vm;
    std::vector<Label> labels;
    std::string project;  // with labels: VMs of this project alone; empty: of any

    bool operator==(const Selector&) const = default;
};

// "Near these" or "not with these". `domain` is "host", "zone", or the key of a host label.
struct Affinity {
    Selector target;
    bool anti = false;
    bool hard = true;
    std::string domain = "host";
    std::int32_t max_per_domain = 1;  // anti only: so many VMs of the group, this one included, may
                                      // share a domain (max_per_node where the domain is "host")
    double weight = 10.0;             // soft only: points lost per broken rule

    bool operator==(const Affinity&) const = default;
};

struct GpuRequest {
    std::int32_t count = 0;
    std::int32_t milli_each = 1000;   // 1000 is a whole GPU
    std::vector<std::string> models;  // allowed; empty: any

    bool operator==(const GpuRequest&) const = default;
};

// A volume that exists on one host only binds its VM to that host.
struct VolumePin {
    std::string volume;
    std::string host;

    bool operator==(const VolumePin&) const = default;
};

struct Zones {
    std::vector<std::string> excluded;   // never there
    std::vector<std::string> preferred;  // locality strategy: better in one of these, best first
    bool strict = false;                 // locality strategy: only there

    // 1 for the first of the preferred, less by equal steps for each after it; 0: not preferred.
    double preference(std::string_view zone) const {
        const auto at = std::find(preferred.begin(), preferred.end(), zone);
        return static_cast<double>(preferred.end() - at) /
               static_cast<double>(std::max<std::size_t>(preferred.size(), 1));
    }

    bool operator==(const Zones&) const = default;
};

struct Request {
    std::string vm;  // key: unique in the cluster, "project/name"
    std::string project;
    Resources need;
    std::optional<Strategy> strategy;  // empty: the project's, then the cluster's default
    std::int32_t priority = 500;       // 0..1000
    bool preemptible = false;
    WallTime created;           // older first among equals
    WallTime started;           // a placed VM's: what is lost when it is evicted
    std::vector<Label> labels;  // its own, which other VMs' rules look at
    std::vector<Affinity> affinities;
    std::vector<std::string> features;  // required
    std::vector<Label> host_labels;     // required
    std::string accelerator;            // required; empty: any
    Zones zones;
    NumaPolicy numa = NumaPolicy::kAuto;
    std::vector<Devices> devices;
    GpuRequest gpu;
    double cost_max_per_hour = 0.0;  // of the VM's share of the host; 0: no cap
    std::string manual_host;         // no other, by any strategy; "manual" needs one
    std::vector<VolumePin> volume_pins;
    std::vector<std::string> excluded_hosts;  // the host it just failed on, say
    std::string spread_domain =
        "zone";  // strategy spread: which failure domain to spread over, then hosts

    bool operator==(const Request&) const = default;
};

// Refuses what no cluster could ever satisfy: zero CPUs, a priority out of range, affinity and hard
// anti-affinity to the same VMs. `fail_field` names the field.
Status validate(const Request& request);

}  // namespace blixard::scheduler
