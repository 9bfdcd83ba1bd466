#include <array>
#include <cstdint>
#include <initializer_list>

#include "model/vm.h"

namespace blixard::model {
namespace {

constexpr std::size_t kPhases = json::kNames<Phase>.size();

constexpr std::uint16_t to(std::initializer_list<Phase> phases) {
    std::uint16_t set = 0;
    for (const Phase phase : phases) set |= std::uint16_t(1u << static_cast<unsigned>(phase));
    return set;
}

using enum Phase;

// One row per phase a VM is in: the phases it may go to in one step. A VM can lose its host in any
// phase, so every row leads to pending (no place now) or scheduled (placed anew).
constexpr std::array<std::uint16_t, kPhases> kMoves = {
    /* pending   */ to({kScheduled, kStopped}),  // stopped: nobody wants it to run
    /* scheduled */ to({kPending, kStarting, kStopped, kFailed}),
    /* starting  */ to({kPending, kScheduled, kRunning, kPaused, kStopping, kStopped, kFailed}),
    /* running   */ to({kPending, kScheduled, kStarting, kPaused, kStopping, kStopped, kFailed}),
    /* paused    */ to({kPending, kScheduled, kRunning, kStopping, kStopped, kFailed}),
    /* stopping  */ to({kPending, kScheduled, kStarting, kStopped, kFailed}),  // starting: a
                                                                               // restart
    /* stopped   */ to({kPending, kScheduled, kStarting}),
    /* failed    */ to({kPending, kScheduled, kStarting, kStopped}),
};

}  // namespace

std::string_view phase_name(Phase phase) { return enum_name(phase); }

bool phase_may_follow(Phase from, Phase to) {
    if (from == to) return true;
    return (kMoves[static_cast<std::size_t>(from)] >> static_cast<unsigned>(to)) & 1u;
}

}  // namespace blixard::model
