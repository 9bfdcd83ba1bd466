// Plays a daemon's record to this build's view, agent and controller, and tells where they decide
// otherwise than the daemon did: which transactions they propose, what they ask of the hypervisor,
// until when they let the watchdog wait.
//
// Each stretch of the record begins with a checkpoint (or with the daemon's start) and goes on to
// its end or to the first difference; behind a difference the recorded world is not the one that
// this build would have made, so nothing is compared until the next checkpoint.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "recorder/record.h"

namespace blixard::sim {

// One input, and what was asked while it was worked on.
struct Step {
    MonoTime at{};
    std::string cause;
    std::vector<std::string> calls;
};

struct Divergence {
    std::string run;            // uid of the daemon run
    std::uint64_t segment = 0;  // of the record
    std::uint64_t input = 0;    // within the segment, from 1
    WallTime wall{};            // as the daemon last read it
    MonoTime mono{};
    std::string cause;                       // the input
    std::vector<std::string> recorded, now;  // what was asked, and what this build asks
    std::vector<Step> before;                // the inputs before it
    std::vector<std::string> log;            // what this build logged last
};

struct Replay {
    std::string build;  // that made the record
    std::uint64_t stretches = 0, inputs = 0, calls = 0, requests = 0;
    std::uint64_t unknown_segments = 0;  // whose beginning is not in the record
    std::uint64_t timing =
        0;  // timers that this build sets otherwise, or tasks that it posts otherwise
    std::int64_t span_ms = 0;             // of the daemon's clock
    std::vector<Divergence> divergences;  // the first of each stretch
};

// kInvalid: the record cannot be read, or nothing in it can be replayed.
Result<Replay> replay(const recorder::Record& record);

std::string replay_text(const Replay& replay);
// The same as one page that needs nothing else.
std::string replay_html(const Replay& replay);

}  // namespace blixard::sim
