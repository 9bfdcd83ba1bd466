// What people must not be allowed to ask: a list of requests that make no sense, or not now. Each
// of them is refused, and says so in the client's terms (4xx).
#pragma once

#include <string>
#include <vector>

#include "api/exchange.h"
#include "view/snapshot.h"

namespace blixard::sim {

// They speak of what is there (`state`), and of what is not.
std::vector<api::Request> what_must_be_refused(const view::Snapshot& state);

}  // namespace blixard::sim
