// What the rows of blixard-bench micro share. A row's label says what the project promises of it.
#pragma once

#include <benchmark/benchmark.h>

#include "bench/allocations.h"

namespace blixard::bench {

// Allocations of this thread while the row ran, for each `unit` things of the `done`.
inline void report_allocations(benchmark::State& state, std::uint64_t before, double done,
                               double unit = 1) {
    state.counters["allocations"] = static_cast<double>(allocations() - before) * unit / done;
}

}  // namespace blixard::bench
