// Every `new` of this program is counted, by the thread that asks: a figure beside the time.
#pragma once

#include <cstdint>

namespace blixard::bench {

// Of the calling thread, since it began.
std::uint64_t allocations();

}  // namespace blixard::bench
