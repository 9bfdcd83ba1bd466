// What is read when a state is read whole.
#pragma once

#include <span>

#include "base/log.h"
#include "view/snapshot.h"

namespace blixard::view {

// As apply_change() for each of them, in the order of their keys: the records of one VM stand
// beside each other, and its entry is made once.
void apply_items(Snapshot& state, std::span<const store::KeyValue> items, Log& log);

}  // namespace blixard::view
