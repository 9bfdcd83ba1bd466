// What the same etcd does without us: clients of their own, each putting one value after the other.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "bench/api/load.h"

namespace blixard::bench {

Figures bare_puts(const std::vector<std::string>& endpoints, int clients, Millis span);

}  // namespace blixard::bench
