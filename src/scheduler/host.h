// A host as the scheduler sees it: what it has, where it stands, and whether it takes new VMs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::scheduler {

// An amount of the three plain resources. A thousandth of a CPU is the unit, so shares of a CPU can
// be asked for.
struct Resources {
    std::int64_t cpu_milli = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;

    bool operator==(const Resources&) const = default;
};

// What may be promised of what is there: effective = floor(physical * ratio * (1 - reserve)).
struct Overcommit {
    double cpu = 1.0;
    double memory = 1.0;
    double disk = 1.0;
    double reserve = 0.0;  // part of the host kept for itself, 0 <= reserve < 1

    static constexpr Overcommit none() { return {1.0, 1.0, 1.0, 0.0}; }
    static constexpr Overcommit conservative() { return {1.0, 1.0, 1.0, 0.10}; }
    static constexpr Overcommit moderate() { return {2.0, 1.2, 1.1, 0.15}; }
    static constexpr Overcommit aggressive() { return {4.0, 1.5, 1.3, 0.05}; }
    bool operator==(const Overcommit&) const = default;
};

// "conservative", "moderate", "aggressive" or "none"; anything else is refused with the names that
// exist.
Result<Overcommit> parse_overcommit(std::string_view profile);

// What `physical` becomes under `overcommit`.
Resources effective(const Resources& physical, const Overcommit& overcommit);

enum class HostState : std::uint8_t {
    kReady,
    kCordoned,  // keeps its VMs, takes no new ones
    kDraining,  // its VMs are moving away
    kLost,      // its lease is gone
};
std::string_view host_state_name(HostState state);

struct Label {
    std::string key;
    std::string value;

    auto operator<=>(const Label&) const = default;
};

struct NumaNode {
    std::int64_t cpu_milli = 0;  // physical; overcommit applies as to the whole host
    std::int64_t memory_mib = 0;

    bool operator==(const NumaNode&) const = default;
};

struct Gpu {
    std::string model;
    std::int32_t milli = 1000;  // shares of one GPU

    bool operator==(const Gpu&) const = default;
};

// PCI devices that are handed through whole: how many of one kind ("10de:20b0", or a name the
// operator gave).
struct Devices {
    std::string kind;
    std::int32_t count = 0;

    bool operator==(const Devices&) const = default;
};

inline constexpr std::size_t kNumaNodesMax =
    16;  // two sockets of 8 sub-clusters; more is refused, not cut
inline constexpr std::size_t kGpusMax = 16;        // the largest chassis sold
inline constexpr std::size_t kDeviceKindsMax = 8;  // kinds on one host
inline constexpr double kOvercommitMax = 100.0;    // beyond this a ratio is a typing error

struct Host {
    std::string name;
    HostState state = HostState::kReady;
    Resources capacity;  // physical
    Overcommit overcommit = Overcommit::none();
    std::vector<NumaNode> numa;  // empty: the host counts as one node
    std::vector<Gpu> gpus;
    std::vector<Devices> devices;
    std::vector<std::string> features;  // "nested", "avx512", "uefi" ...
    std::vector<Label> labels;          // failure domains are labels: rack=r1, power=p2 ...
    std::string zone;                   // the failure domain "zone"
    std::string accelerator;            // "kvm" or "tcg"
    double cost_per_hour = 0.0;         // of the whole host, in the operator's currency

    bool operator==(const Host&) const = default;
};

// Refuses what cannot be meant: no name, negative amounts, a ratio of 0 or 1e9, more GPUs than
// kGpusMax.
Status validate(const Host& host);

}  // namespace blixard::scheduler
