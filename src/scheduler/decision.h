// What was decided and why: everything an operator needs to understand it, as values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

enum class Reason : std::uint8_t {
    kCordoned,
    kDraining,
    kLost,
    kExcluded,  // the request names this host as one to avoid
    kNode,      // the VM asks for another host
    kVolume,    // a volume lives elsewhere
    kZone,
    kAccelerator,
    kFeature,
    kLabel,
    kGpuModel,
    kQuota,
    kCpu,
    kMemory,
    kDisk,
    kNuma,
    kDevice,
    kGpu,
    kCost,
    kAffinity,
    kAntiAffinity,
    kReserved,  // kept free for a VM that has waited long
};
inline constexpr int kReasons = 22;
std::string_view reason_name(Reason reason);

// Which parts of a host a VM takes. NUMA nodes and GPUs are indices into the host's lists.
struct Assignment {
    std::vector<std::int32_t> numa_nodes;
    std::vector<std::int32_t> gpus;

    bool operator==(const Assignment&) const = default;
};

// One filter's "no" from one host. Amounts are in the resource's unit; both 0 where amounts mean
// nothing.
struct Failure {
    Reason reason = Reason::kCpu;
    std::int64_t needed = 0;
    std::int64_t available = 0;
    std::string detail;  // "needs 8 CPUs, 6 free", "has no label disk=ssd"
};

struct ScorePart {
    std::string name;  // "room lost", "preferred zone", "soft anti-affinity role=db"
    double points = 0.0;

    bool operator==(const ScorePart&) const = default;
};

struct Candidate {
    std::string host;
    double score = 0.0;
    std::vector<ScorePart> parts;

    bool operator==(const Candidate&) const = default;
};

struct Refusals {
    Reason reason = Reason::kCpu;
    std::int64_t hosts = 0;    // hosts whose first refusal this is
    std::string closest_host;  // the one that came closest
    std::string detail;        // what that one said

    bool operator==(const Refusals&) const = default;
};

enum class Outcome : std::uint8_t {
    kPlaced,
    kPreempts,  // fits on `host` once `evictions` are gone
    kPending,   // fits nowhere now; `refusals` and `would_fit_if` say why
    kRefused,   // the request itself is wrong: `error`
};

// One change, the smallest of its kind found, after which the VM fits on `host`.
struct Remedy {
    enum class Kind : std::uint8_t {
        kShrink,
        kUncordon,  // lift the cordon, or end the drain
        kEvict,
        kDropRule,
        kAddHost,
        kRaiseQuota,
        kHostBack,
    };
    Kind kind = Kind::kShrink;
    std::string host;
    Resources less;                  // kShrink: ask for so much less
    std::vector<std::string> evict;  // kEvict: VM keys
    Reason rule = Reason::kCpu;      // kDropRule: which requirement of the request to drop
    std::string text;                // "2 GiB less memory fits host c"

    bool operator==(const Remedy&) const = default;
};

std::string_view remedy_name(Remedy::Kind kind);  // "shrink", "uncordon" ...

// What would help one that fits nowhere: as costly as the refusal itself.
enum class Remedies { kFound, kLeftOut };

struct Decision {
    Outcome outcome = Outcome::kPending;
    std::string vm;
    std::string host;  // kPlaced, kPreempts
    Assignment assignment;
    Strategy strategy = Strategy::kFragmentation;
    double score = 0.0;
    std::vector<ScorePart> parts;        // sum to score
    std::vector<Candidate> runners_up;   // best first
    std::vector<Refusals> refusals;      // most hosts first
    std::vector<Remedy> would_fit_if;    // cheapest first; kPending only
    bool without_remedies = false;       // nobody looked for any
    std::vector<std::string> evictions;  // kPreempts: VM keys, lowest priority first
    std::string unknown_host;            // the VM asks for this one, and there is none; kPending
    Error error;                         // kRefused
    std::int64_t revision = 0;           // of the cluster state it was made at
    std::int64_t hosts_considered = 0;

    bool operator==(const Decision&) const = default;
};

// One line for people: "host-3 (fragmentation, score -1.25; next host-7 -2.00)" or why not.
std::string summary(const Decision& decision);

}  // namespace blixard::scheduler
