// What stands in a record's stream, one entry behind the other: a tag byte, then what the tag says
// (docs/FORMATS.md). An input opens, holds what the control loops read and did while they worked on
// it, and ends. Inputs nest where a port calls back while it is being called.
#pragma once

#include <cstdint>
#include <string_view>

namespace blixard::recorder {

inline constexpr std::string_view kMagic = "blixard-record 4\n";

enum class Tag : std::uint8_t {
    // Inputs. Each begins with the milliseconds of the monotonic clock since the input before it.
    kTask = 1,         // number of the post: a posted task runs
    kTimer = 2,        // number of the timer: it has run out
    kAnswer = 3,       // kind and number of the call; Result: a call is answered
    kBatch = 4,        // WatchBatch
    kWatchEnd = 5,     // Error
    kEvent = 6,        // hypervisor::Event
    kAllowed = 7,      // number of a start: whether it may still go on
    kBegin = 8,        // the agent starts
    kController = 9,   // the controller starts
    kCheckpoint = 10,  // the controller counts everything anew; WallTime; a replay may begin here

    // Within an input.
    kEnd = 32,
    kCall = 33,        // kind, text: something is asked of a port
    kSays = 34,        // bool: to kAllowed
    kPost = 35,        // a task is posted
    kAfter = 36,       // ms: a timer is armed
    kMono = 37,        // which reading of the clock within this input (from 1), ms since the last
    kWall = 38,        // ms since the last
    kRandom = 39,      // 64 bits
    kInstances = 40,   // those that have changed, names of those that have gone
    kLeftovers = 41,   // all
    kConsoleHas = 42,  // bool

    // Between inputs.
    kRequest = 48,  // a text for people: what somebody asked of the API
};

inline bool is_input(Tag tag) { return tag >= Tag::kTask && tag <= Tag::kCheckpoint; }

// What is asked of the ports. Those that change something are what a replay compares.
enum class CallKind : std::uint8_t {
    kCommit,
    kRead,
    kCurrentRevision,
    kWatch,
    kUnwatch,
    kGrantLease,
    kRenewLease,
    kRevokeLease,
    kCompact,
    kRecover,
    kStart,
    kStop,
    kKill,
    kPause,
    kResume,
    kForget,
    kPurge,
    kDeleteDisk,
    kFeed,
    kEnsureBlob,
    kProbe,
};
std::string_view call_name(CallKind kind);

}  // namespace blixard::recorder
