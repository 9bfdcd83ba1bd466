// The state in memory: reading it, changing it, and the bytes that are served from it.
#include <algorithm>
#include <random>

#include "api/lists.h"
#include "base/log.h"
#include "bench/micro/in_process_api.h"
#include "bench/micro/rows.h"
#include "bench/micro/state.h"
#include "daemon/daemon_metrics.h"
#include "model/documents.h"
#include "view/view.h"

namespace blixard::bench {
namespace {

void list_records(benchmark::State& state) {
    const view::SnapshotPtr snapshot = make_state(state.range(0));
    std::vector<const view::VmEntry*> found;
    found.reserve(static_cast<std::size_t>(state.range(0)));
    for (auto _ : state) {
        found.clear();
        snapshot->vms.scan("", [&](const auto& vm) {
            found.push_back(vm.get());
            return true;
        });
        benchmark::DoNotOptimize(found.data());
    }
    state.SetLabel("at most 10 ns a VM");
}
BENCHMARK(list_records)->Name("list VM records")->Arg(10)->Arg(100)->Arg(1000);

// The body made anew, as after every change; the list cache is not asked.
void list_json(benchmark::State& state) {
    const view::SnapshotPtr snapshot = make_state(state.range(0));
    api::ListQuery query;
    query.project = kProject;
    query.limit = 10000;
    std::size_t bytes = 0;
    for (auto _ : state) {
        const std::string body = api::list_body(*snapshot, query);
        bytes = body.size();
        benchmark::DoNotOptimize(body.data());
    }
    state.counters["bytes"] = static_cast<double>(bytes);
    state.SetLabel("at most 200 ns a VM");
}
BENCHMARK(list_json)->Name("JSON of full VM documents")->Arg(10)->Arg(100)->Arg(1000);

void find_vm(benchmark::State& state) {
    const view::SnapshotPtr snapshot = make_state(state.range(0));
    std::vector<std::string> keys;
    for (std::int64_t i = 0; i < state.range(0); ++i) keys.push_back("default/" + vm_name(i));
    std::shuffle(keys.begin(), keys.end(), std::mt19937(7));
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(snapshot->vms.find(keys[next]));
        if (++next == keys.size()) next = 0;
    }
    state.SetLabel("at most 20 ns");
}
BENCHMARK(find_vm)->Name("find a VM by name")->Arg(100)->Arg(1000)->Arg(100000);

void insert_vms(benchmark::State& state) {
    const view::SnapshotPtr snapshot = make_state(100);
    std::vector<std::shared_ptr<const view::VmEntry>> entries;
    snapshot->vms.scan("", [&](const auto& vm) {
        entries.push_back(vm);
        return true;
    });
    std::shuffle(entries.begin(), entries.end(), std::mt19937(7));
    const std::uint64_t before = allocations();
    for (auto _ : state) {
        view::PersistentMap<view::VmEntry> map;
        for (const auto& entry : entries) map.put(entry);
        benchmark::DoNotOptimize(map.size());
    }
    report_allocations(state, before, static_cast<double>(state.iterations()));
    state.SetLabel("at most 5 us");
}
BENCHMARK(insert_vms)->Name("insert 100 VMs");

// What a daemon does with each key that it reads or is told of.
void apply_items(benchmark::State& state) {
    NullLog log;
    std::vector<store::KeyValue> items;
    for (std::int64_t i = 0; i < 1000; ++i)
        for (store::KeyValue& one : vm_items(i, i + 2)) items.push_back(std::move(one));
    const std::uint64_t before = allocations();
    for (auto _ : state) {
        view::Snapshot snapshot;
        for (const store::KeyValue& one : items) view::apply_change(snapshot, one, false, log);
        benchmark::DoNotOptimize(snapshot.vms.size());
    }
    const auto done = static_cast<double>(state.iterations() * items.size());
    report_allocations(state, before, done);
    state.counters["per key"] =
        benchmark::Counter(done, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(apply_items)
    ->Name("view: 1,000 VMs (3,000 keys) taken up")
    ->Unit(benchmark::kMicrosecond);

// Whoever answers a request holds a snapshot, and the control loop leaves what it knows in atomics.
void ask_counts(benchmark::State& state) {
    const view::SnapshotPtr snapshot = make_state(1000);
    daemon::ControlFigures control;
    for (auto _ : state) {
        benchmark::DoNotOptimize(control.elected.load(std::memory_order_relaxed));
        benchmark::DoNotOptimize(snapshot->nodes.size());
        benchmark::DoNotOptimize(snapshot->counts.vms);
    }
    state.SetLabel("at most 2 ns, no lock");
}
BENCHMARK(ask_counts)->Name("am I the controller, how many hosts, how many VMs");

void take_snapshot(benchmark::State& state) {
    const InProcessApi api(10);
    for (auto _ : state) benchmark::DoNotOptimize(api.view().current());
}
BENCHMARK(take_snapshot)->Name("take the current state");

template <class Parse>
void parse_one(benchmark::State& state, std::size_t which, Parse parse) {
    const std::string text = vm_items(7, 9)[which].value;
    const std::uint64_t before = allocations();
    for (auto _ : state) {
        auto value = parse(text, model::Mode::kLenient);
        benchmark::DoNotOptimize(value);
    }
    report_allocations(state, before, static_cast<double>(state.iterations()));
    state.counters["bytes"] = static_cast<double>(text.size());
}
void parse_spec(benchmark::State& state) { parse_one(state, 1, model::parse_vm_record); }
void parse_placement(benchmark::State& state) { parse_one(state, 0, model::parse_placement); }
void parse_status(benchmark::State& state) { parse_one(state, 2, model::parse_vm_status); }
BENCHMARK(parse_spec)->Name("parse a VM's record");
BENCHMARK(parse_placement)->Name("parse a VM's placement");
BENCHMARK(parse_status)->Name("parse a VM's status");

void write_record(benchmark::State& state) {
    const auto record = model::parse_vm_record(vm_items(7, 9)[1].value, model::Mode::kLenient);
    std::string text;
    const std::uint64_t before = allocations();
    for (auto _ : state) {
        text.clear();
        model::write(*record, text);
        benchmark::DoNotOptimize(text.data());
    }
    report_allocations(state, before, static_cast<double>(state.iterations()));
}
BENCHMARK(write_record)->Name("write a VM's record");

}  // namespace
}  // namespace blixard::bench
