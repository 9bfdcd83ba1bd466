// Randomness as a port: the daemon's comes from the kernel, the simulation's from the seed.
#pragma once

#include <cstdint>
#include <string>

namespace blixard {

class Random {
 public:
    virtual ~Random() = default;
    virtual std::uint64_t
    next() = 0;  // 64 uniform bits; any thread for the kernel's, one thread for a seeded one

    // Uniform in [0, bound); bound > 0. (Lemire 2019, multiply-shift; the bias below 2^-32 is
    // accepted.)
    std::uint64_t below(std::uint64_t bound) {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }
    // True with probability `percent` / 100.
    bool chance(double percent) {
        return static_cast<double>(next() >> 11) * 0x1.0p-53 * 100.0 < percent;
    }
};

// xoshiro256** seeded by splitmix64 (Blackman and Vigna 2018): the same seed gives the same stream
// everywhere.
class SeededRandom final : public Random {
 public:
    explicit SeededRandom(std::uint64_t seed);
    std::uint64_t next() override;

 private:
    std::uint64_t state_[4];
};

// A random id of 32 hex digits (128 bits).
std::string make_id(Random& random);

}  // namespace blixard
