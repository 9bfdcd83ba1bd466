// Writes and decisions: what they allocate.
#include <fmt/format.h>

#include "bench/micro/cluster_state.h"
#include "bench/micro/in_process_api.h"
#include "bench/micro/rows.h"
#include "bench/micro/state.h"
#include "model/documents.h"
#include "scheduler/batch.h"
#include "scheduler/place.h"

namespace blixard::bench {
namespace {

// `body` is the n-th request; each answer has `status`.
void count_writes(benchmark::State& state, const std::function<api::Request(std::int64_t)>& nth,
                  int status) {
    InProcessApi api(1000);
    std::uint64_t allocated = 0;
    std::int64_t number = 0;
    for (auto _ : state) {
        state.PauseTiming();
        api::Request next = nth(number++);
        state.ResumeTiming();
        if (api.ask(std::move(next)) != status) return state.SkipWithError("refused");
        allocated += api.allocations_to_transaction();
    }
    state.counters["allocations"] =
        1000.0 * static_cast<double>(allocated) / static_cast<double>(number);
    state.SetLabel("allocations of 1,000 requests up to their transactions: at most 350");
}
void create_vms(benchmark::State& state) {
    count_writes(
        state, [](std::int64_t n) { return request("POST", "/v1/vms", create_body(10'000 + n)); },
        201);
}
void patch_vms(benchmark::State& state) {
    count_writes(
        state,
        [](std::int64_t n) {
            return request("PATCH", "/v1/vms/" + vm_name(n % 1000),
                           fmt::format(R"({{"spec":{{"labels":{{"owner":"team-{}"}}}}}})", n));
        },
        200);
}
void stop_vms(benchmark::State& state) {
    count_writes(
        state,
        [](std::int64_t n) {
            return request("POST",
                           "/v1/vms/" + vm_name(n / 2 % 1000) + (n % 2 == 0 ? "/stop" : "/start"));
        },
        202);
}
BENCHMARK(create_vms)->Name("write requests: create")->Iterations(1000);
BENCHMARK(patch_vms)->Name("write requests: change labels")->Iterations(1000);
BENCHMARK(stop_vms)->Name("write requests: stop and start")->Iterations(1000);

// What hosts tell each other stands in records: a hundred statuses, written and read.
void exchange_statuses(benchmark::State& state) {
    std::vector<model::VmStatus> statuses;
    for (std::int64_t i = 0; i < 100; ++i)
        statuses.push_back(*model::parse_vm_status(vm_items(i, 1)[2].value, model::Mode::kLenient));
    std::string text;
    const std::uint64_t before = allocations();
    for (auto _ : state) {
        for (const model::VmStatus& status : statuses) {
            text.clear();
            model::write(status, text);
            auto read = model::parse_vm_status(text, model::Mode::kLenient);
            benchmark::DoNotOptimize(read);
        }
    }
    report_allocations(state, before, static_cast<double>(state.iterations()));
    state.SetLabel("at most 100 allocations");
}
BENCHMARK(exchange_statuses)
    ->Name("100 messages encoded and decoded")
    ->Unit(benchmark::kMicrosecond);

std::vector<std::shared_ptr<const scheduler::Request>> hundred_requests() {
    std::vector<std::shared_ptr<const scheduler::Request>> pending;
    for (int i = 0; i < 100; ++i) {
        auto request = std::make_shared<scheduler::Request>();
        request->vm = fmt::format("default/new-{}", i);
        request->need = {2000, 8 * 1024, 0};
        pending.push_back(std::move(request));
    }
    return pending;
}

void schedule_batch(benchmark::State& state) {
    const scheduler::Policy policy;
    scheduler::Cluster cluster = make_cluster(1000, 10, policy);
    const auto pending = hundred_requests();
    scheduler::Placer placer;
    std::uint64_t allocated = 0;
    for (auto _ : state) {
        state.PauseTiming();
        scheduler::Queue queue;
        scheduler::Reservations reservations;
        for (const auto& request : pending) queue.put(request, MonoTime{});
        state.ResumeTiming();
        const std::uint64_t before = allocations();
        scheduler::Batch batch(cluster, queue, reservations, placer, policy, MonoTime{});
        while (queue.next()) benchmark::DoNotOptimize(batch.decide().host.data());
        allocated += allocations() - before;
        state.PauseTiming();
        for (const auto& request : pending) (void)cluster.release(request->vm);
        state.ResumeTiming();
    }
    state.counters["allocations"] =
        static_cast<double>(allocated) / static_cast<double>(state.iterations());
    state.SetLabel("at most 100 allocations");
}
BENCHMARK(schedule_batch)
    ->Name("schedule a batch of 100 VMs, 1,000 hosts")
    ->Unit(benchmark::kMicrosecond);

// The same without the words: which hosts, and their room counted. What is kept of a decision (its
// parts, the runners-up and theirs, the refusals) are lists, and most of what the row above
// allocates.
void choose_batch(benchmark::State& state) {
    const scheduler::Policy policy;
    scheduler::Cluster cluster = make_cluster(1000, 10, policy);
    const auto pending = hundred_requests();
    std::uint64_t allocated = 0;
    for (auto _ : state) {
        const std::uint64_t before = allocations();
        for (const auto& request : pending)
            (void)cluster.place(request, *scheduler::choose(cluster, *request, policy));
        allocated += allocations() - before;
        state.PauseTiming();
        for (const auto& request : pending) (void)cluster.release(request->vm);
        state.ResumeTiming();
    }
    state.counters["allocations"] =
        static_cast<double>(allocated) / static_cast<double>(state.iterations());
    state.SetLabel("at most 100 allocations");
}
BENCHMARK(choose_batch)
    ->Name("choose hosts for a batch of 100 VMs, 1,000 hosts")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace blixard::bench
