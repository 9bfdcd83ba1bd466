#include "os/clock.h"

#include <sys/random.h>
#include <time.h>

#include <cerrno>

#include "base/assert.h"

namespace blixard::os {
namespace {

std::int64_t milliseconds(clockid_t clock) {
    timespec now{};
    const int failed = clock_gettime(clock, &now);
    ASSERT(failed == 0);
    return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

MonoTime SystemClock::mono() const { return {milliseconds(CLOCK_BOOTTIME)}; }
WallTime SystemClock::wall() const { return {milliseconds(CLOCK_REALTIME)}; }

std::uint64_t KernelRandom::next() {
    std::uint64_t bits = 0;
    ssize_t got = 0;
    do got = getrandom(&bits, sizeof bits, 0);
    while (got < 0 && errno == EINTR);
    ASSERT(got == static_cast<ssize_t>(sizeof bits));
    return bits;
}

}  // namespace blixard::os
