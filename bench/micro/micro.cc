// blixard-bench micro: the product's own code in process, one row for each figure that is promised.
// The arguments are Google Benchmark's: --benchmark_filter=REGEX, --benchmark_out=FILE
// --benchmark_out_format=json, --benchmark_min_time=SECONDS, --benchmark_repetitions=N.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "bench/commands.h"

namespace blixard::bench {

int micro(Arguments arguments) {
    std::vector<std::string> texts{"blixard-bench micro"};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    int count = static_cast<int>(pointers.size());
    pointers.push_back(nullptr);
    benchmark::Initialize(&count, pointers.data());
    if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
}

}  // namespace blixard::bench
