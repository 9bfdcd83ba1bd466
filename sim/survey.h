// What the daemons of a cluster at rest answer to people who look around: every list, whole and by
// pages, and by each filter, against what the store holds.
//
// Threads: one.
#pragma once

#include <string>

#include "sim/host.h"
#include "view/snapshot.h"

namespace blixard::sim {

// Empty: nothing. A host that does not serve, or has not come to `state` yet, is not asked.
std::string what_is_listed_wrongly(SimHost& host, const view::Snapshot& state);

}  // namespace blixard::sim
