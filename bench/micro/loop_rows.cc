// Threads, and what is counted while they work.
#include <atomic>
#include <thread>

#include "base/metrics.h"
#include "bench/micro/rows.h"
#include "os/event_loop.h"

namespace blixard::bench {
namespace {

constexpr std::uint64_t kUnderWay = 4096;  // tasks: far from the executor's bounds

void hand_over(benchmark::State& state) {
    os::EventLoop loop;
    std::atomic<std::uint64_t> ran{0};
    std::thread other([&loop] { loop.run(); });
    std::uint64_t posted = 0;
    for (auto _ : state) {
        loop.post([&ran] { ran.fetch_add(1, std::memory_order_relaxed); });
        if (++posted % kUnderWay == 0)
            while (ran.load(std::memory_order_relaxed) < posted - kUnderWay / 2)
                std::this_thread::yield();
    }
    while (ran.load() < posted) std::this_thread::yield();
    loop.stop();
    other.join();
    state.SetLabel("at most 1 us");
}
BENCHMARK(hand_over)->Name("hand a task to another thread")->UseRealTime();

// There and back, one at a time: two threads are woken.
void round_trip(benchmark::State& state) {
    os::EventLoop here, there;
    std::thread other([&there] { there.run(); });
    for (auto _ : state) {
        bool back = false;
        there.post([&here, &back] { here.post([&back] { back = true; }); });
        here.run_until([&back] { return back; }, seconds(10));
    }
    there.stop();
    other.join();
}
BENCHMARK(round_trip)->Name("a task to another thread and its answer, alone")->UseRealTime();

void call_handler(benchmark::State& state) {
    os::EventLoop loop;
    std::uint64_t ran = 0, posted = 0;
    while (state.KeepRunningBatch(1000)) {
        for (int i = 0; i < 1000; ++i) loop.post([&ran] { ++ran; });
        posted += 1000;
        loop.run_until([&] { return ran == posted; }, seconds(10));
    }
    state.SetLabel("at most 20 ns");
}
BENCHMARK(call_handler)->Name("post a handler and call it, one thread");

void count_one(benchmark::State& state) {
    Metrics metrics;
    Counter& counter =
        metrics.counter("requests_total", "Requests.", {{"route", "/v1/vms"}, {"status", "200"}});
    const std::uint64_t before = allocations();
    for (auto _ : state) counter.add();
    report_allocations(state, before, static_cast<double>(state.iterations()));
    state.SetLabel("at most 20 ns, 0 allocations");
}
BENCHMARK(count_one)->Name("metric: counter");

void record_one(benchmark::State& state) {
    Metrics metrics;
    Histogram& histogram =
        metrics.histogram("request_seconds", "Requests.", {{"route", "/v1/vms"}});
    std::uint64_t micros = 0;
    const std::uint64_t before = allocations();
    for (auto _ : state) histogram.record_micros(micros = (micros * 5 + 77) & 0xffff);
    report_allocations(state, before, static_cast<double>(state.iterations()));
    state.SetLabel("at most 20 ns, 0 allocations");
}
BENCHMARK(record_one)->Name("metric: histogram");

}  // namespace
}  // namespace blixard::bench
