// The world's time and randomness.
#pragma once

#include "base/random.h"
#include "base/time.h"

namespace blixard::os {

// CLOCK_BOOTTIME (goes on while the host sleeps) and CLOCK_REALTIME. Any thread.
class SystemClock final : public Clock {
 public:
    MonoTime mono() const override;
    WallTime wall() const override;
};

// getrandom(2). Any thread.
class KernelRandom final : public Random {
 public:
    std::uint64_t next() override;
};

}  // namespace blixard::os
