// What must be true of a healed cluster: every VM as its spec says, or pending with a true reason,
// and nothing left behind. Pure.
#pragma once

#include <string>

#include "sim/checker.h"
#include "sim/operators.h"

namespace blixard::sim {

// Empty: all is right. Else the first thing that is not.
std::string what_is_wrong(const Checker& checker, const Hosts& hosts, const SharedStorage& shared);

}  // namespace blixard::sim
