// What one run consists of: its size, and every fault and every order of an operator with its
// moment, made ahead from the seed. A story is a run with a shorter list. Pure.
//
// As text, one line each: "blixard-sim 1", "seed=42 hosts=5 vms=50 ...", then
// "at_ms kind host subject span_ms dice" per act. '#' begins a comment, also behind an act.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::sim {

// Switched by --faults, in this order.
struct FaultSet {
    bool host = true, store = true, clock = true, disk = true, network = true, qemu = true,
         oper = true;
};
Result<FaultSet> parse_faults(std::string_view names);
std::string to_text(const FaultSet& faults);

enum class ActKind : std::uint8_t {
    kHostCrash,      // power off; on again after `span`
    kDaemonKill,     // after `dice` % 50 more tasks; a new one after `span`
    kDaemonPause,    // SIGSTOP for `span`
    kWatchdogPause,  // for `span`, below the margin
    kWatchdogKill,
    kUpgrade,  // the daemon is started anew in another version
    kCut,      // nothing goes either way between the host and the store, for `span`
    kCutRequests,
    kCutReplies,  // also: its watch falls silent
    kSlowLink,
    kDoubled,        // of one host: what it sends to the store arrives twice, or late
    kClientTrouble,  // of one host: requests of clients and answers to them are lost
    kStoreLeader,    // leases count anew
    kStoreDown,      // no majority for `span`
    kStoreTrouble,   // of one host: transactions refused, or with unknown outcome, for `span`
    kStoreFull,
    kCompact,     // while one host's watch is cut: it has to read anew
    kLeaseLost,   // a host's lease ends while it lives
    kClockWrong,  // marked: beyond the margin that docs/FENCING.md assumes
    kDiskFull,    // of one host, for `span`
    kTornCrash,   // power off while records are being written
    kVmDies,
    kVmHangs,
    kVmPowersOff,
    kVmCreate,
    kVmDelete,
    kVmStop,
    kVmStart,
    kVmRestart,
    kVmPause,
    kVmResume,
    kVmLabel,    // an acknowledged label must stay
    kVmLabelIf,  // ... only if nothing has changed since it was read
    kVmRead,
    kVmResize,
    kVolumeCreate,
    kVolumeDelete,
    kQuotaChange,
    kNodeCordon,
    kNodeUncordon,
    kNodeDrain,
    kNodeRemove,  // its power is cut for good, it is vouched for and removed; put up anew after
                  // `span`
    kVmDisks,     // its disks change: its own, and a volume that stands alone
    kVolumeChange,
    kImageCreate,
    kImageDelete,
    kProjectCreate,
    kProjectDelete,
    kNodeChange,  // what a host promises, and its labels
    kRebalance,
    kOperationCancel,
    kSlowWatch,       // answers come in time, what the watch delivers does not
    kVouchedWrongly,  // people vouch for a host that is only cut off
    kVmSick,          // its guest does not answer to health checks, for `span` or for good
    kNewerRecord,     // a record of a VM is of a version that nobody here understands, for `span`
    kCount
};
std::string_view act_name(ActKind kind);
bool is_order(ActKind kind);  // what operators do; else a fault

inline constexpr int kVolumes = 4;  // that stand alone, and go from VM to VM
inline constexpr int kImages = 2;   // that come and go

struct Act {
    std::int64_t at_ms = 0;
    ActKind kind = ActKind::kHostCrash;
    int host = 0;     // which host it strikes, or whose API is asked
    int subject = 0;  // which VM, or which host is meant
    std::int64_t span_ms = 0;
    std::uint64_t dice = 0;  // all other choices
};

struct Plan {
    std::uint64_t seed = 1;
    int hosts = 5;
    int vms = 50;
    double hours = 1;
    FaultSet faults;
    int world = 1;  // a story keeps the one that it was found in
    std::vector<Act> acts;

    // Every third seed: there is hardly room for all, and more make way for others.
    bool crowded() const { return world > 1 && seed % 3 == 2; }

    Millis span() const { return {static_cast<std::int64_t>(hours * 3'600'000)}; }
};

// Fills in `acts`.
Plan make_plan(std::uint64_t seed, int hosts, int vms, double hours, FaultSet faults);
std::string to_text(const Plan& plan);
std::string to_text(const Act& act);
std::string in_words(const Act& act);  // "h2: power off for 3.2 s"
Result<Plan> parse_plan(std::string_view text);

}  // namespace blixard::sim
