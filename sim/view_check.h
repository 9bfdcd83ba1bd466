// Whether a daemon's view is what the store held at its revision, and its indexes are what a plain
// count gives. Pure.
#pragma once

#include <string>

#include "store/memory/history.h"
#include "view/snapshot.h"

namespace blixard::sim {

// Empty: nothing. A revision that the store no longer keeps is not looked at.
std::string what_is_wrong_with(const view::Snapshot& view, const store::History& store);

}  // namespace blixard::sim
