// What the same etcd does without us: clients of their own, each putting one value after the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "bench/api/load.h"

namespace blixard::bench {

Figures bare_puts(const std::vector<std::string>& endpoints, int clients, Millis span);

// All keys in one answer, which is thrown away.
struct BareRead {
    std::int64_t keys = 0;
    double seconds = 0;
};
Result<BareRead> bare_read(const std::string& endpoint);

}  // namespace blixard::bench
