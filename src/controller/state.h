// All that a controller is, at a quiet moment: nothing proposed and undecided. What follows from
// the view alone (the inventory, the queue of those who wait) is not in it: it is made anew. See
// agent/state.h. A plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "controller/liveness.h"
#include "store/store.h"

namespace blixard::controller {

struct ControllerState {
    store::Revision in_office = 0;
    TimerId tick = 0, compact = 0;
    std::map<std::string, Sight> sights;
    std::set<std::string> seen_lost;
    std::set<std::string> dirty_vms, dirty_nodes;
    std::map<std::string, MonoTime> pending_since, pending_told;
    std::uint64_t rounds = 0;
    std::map<std::string, std::uint64_t> drains_looked_at;
    std::vector<std::pair<std::string, std::string>> reservations;  // for this VM, that host
    std::optional<MonoTime> round_at;
    std::uint64_t vms_per_commit = 0;
    std::vector<std::pair<MonoTime, store::Revision>> history;
};

}  // namespace blixard::controller
