// What an agent asks of its hypervisor must follow from what its own view shows: judged at the
// moment of the asking, so that no delay excuses it. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/sim_machines.h"
#include "view/snapshot.h"

namespace blixard::sim {

enum class Asked : std::uint8_t { kStop, kKill, kPause, kResume };

struct MachineOrder {
    Asked asked = Asked::kStop;
    Millis grace{};               // of a stop
    Millis silent{};              // for so long the monitor has said nothing
    std::optional<Millis> awake;  // for so long who asks has not stood still; nothing: never
};

// Absent: it follows from `seen`.
std::optional<std::string> what_is_wrong_with(const MachineOrder& order, const std::string& host,
                                              const Machine& machine, const view::Snapshot& seen);

}  // namespace blixard::sim
