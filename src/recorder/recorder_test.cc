// What is written down, read back.
#include "recorder/recorder.h"

#include <gtest/gtest.h>

#include "recorder/inputs.h"
#include "recorder/memory_sink.h"
#include "recorder/ports.h"
#include "store/memory/memory_store.h"
#include "store/test_loop.h"
#include "view/view.h"

namespace blixard::recorder {
namespace {

struct Changes final : store::WatchHandler {
    void on_batch(store::WatchBatch batch) override { seen.push_back(std::move(batch)); }
    void on_end(Error) override {}
    std::vector<store::WatchBatch> seen;
};

// A daemon's ports on a memory store.
struct Bench {
    Bench()
        : recorder(loop, sink),
          store(recorder, real),
          executor(recorder, loop),
          clock(recorder, loop) {
        recorder.begin({.build = "test",
                        .controller_settings = {.run_uid = "run-1"},
                        .state = std::make_shared<view::Snapshot>()});
    }

    std::vector<Input> inputs() {
        const Result<Record> record = parse_record(sink.bytes);
        EXPECT_TRUE(record);
        InputReader reader(record->segments.back().entries, {});
        std::vector<Input> all;
        while (!reader.at_end()) {
            Result<Input> input = reader.next();
            EXPECT_TRUE(input) << describe(input.error());
            if (!input) break;
            all.push_back(std::move(*input));
        }
        return all;
    }

    store::TestLoop loop{store::TestTime::kVirtual};
    store::MemoryStore real{loop, loop};
    MemorySink sink;
    Recorder recorder;
    RecordedStore store;
    RecordedExecutor executor;
    RecordedClock clock;
};

TEST(Recorder, an_input_has_what_was_asked_while_it_was_worked_on_and_its_answer_is_the_next) {
    Bench bench;
    bool answered = false;
    bench.recorder.input(Tag::kBegin, [&] {
        bench.executor.post([&] {
            store::Transaction put;
            put.compares.push_back({"vms/p/a/placement", 0});
            put.puts.push_back({.key = "vms/p/a/placement", .value = "{}"});
            bench.store.commit(std::move(put),
                               [&](const Result<store::Committed>&) { answered = true; });
        });
    });
    bench.loop.run_until([&] { return answered; });
    bench.recorder.input(Tag::kController, [] {});
    const std::vector<Input> inputs = bench.inputs();
    ASSERT_EQ(inputs.size(), 4u);
    EXPECT_EQ(inputs[0].tag, Tag::kBegin);
    EXPECT_EQ(inputs[0].posts, (std::vector<std::uint64_t>{1}));
    EXPECT_EQ(inputs[1].tag, Tag::kTask);
    EXPECT_EQ(inputs[1].number, 1u);
    ASSERT_EQ(inputs[1].calls.size(), 1u);
    EXPECT_EQ(inputs[1].calls[0].text,
              "if vms/p/a/placement is absent\nput vms/p/a/placement {}\n");
    EXPECT_EQ(describe(inputs[2]), "the answer to \"commit\" (call 1): done at revision 1");
    EXPECT_FALSE(inputs[3].whole) << "what comes behind an input is written with the next one";
}

TEST(Recorder, changes_are_kept_without_secrets_and_without_what_no_loop_looks_at) {
    Bench bench;
    Changes changes;
    bench.store.watch("", 1, changes);
    store::Transaction put;
    put.puts.push_back({.key = "vms/p/a/spec",
                        .value = R"({"uid":"u","spec":{"cloud_init":{"user_data":"hunter2"}}})"});
    put.puts.push_back({.key = "cluster/tokens/1", .value = R"({"hash":"hunter2"})"});
    bench.real.commit(std::move(put), [](const Result<store::Committed>&) {});
    bench.loop.run_until([&] { return !changes.seen.empty(); });
    ASSERT_EQ(changes.seen[0].changes.size(), 2u) << "the loops get all of it";
    const std::vector<Input> inputs = bench.inputs();
    ASSERT_FALSE(inputs.empty());
    ASSERT_EQ(inputs[0].batch.changes.size(), 1u);
    EXPECT_EQ(inputs[0].batch.changes[0].item.value,
              R"({"uid":"u","spec":{"cloud_init":{"user_data":"[removed]"}}})");
    EXPECT_EQ(bench.sink.bytes.find("hunter2"), std::string::npos);
    EXPECT_EQ(bench.sink.bytes.find("cluster/"), std::string::npos);
}

TEST(Recorder, an_input_is_on_its_way_before_it_is_worked_on) {
    Bench bench;
    std::size_t before = 0;
    const std::size_t empty = bench.sink.bytes.size();
    bench.recorder.input(Tag::kBegin, [&] { before = bench.sink.bytes.size(); });
    EXPECT_GT(before, empty);
    ASSERT_EQ(bench.inputs().size(), 1u);
    EXPECT_FALSE(bench.inputs()[0].whole);
}

TEST(Recorder, machines_are_written_down_when_they_change) {
    Bench bench;
    const auto machine = [](std::string vm, int pid) {
        hypervisor::Instance instance;
        instance.id = {.vm = std::move(vm), .uid = "u", .epoch = 1};
        instance.pid = pid;
        return instance;
    };
    bench.recorder.input(Tag::kBegin, [&] {
        bench.recorder.saw_instances({machine("p/a", 1), machine("p/c", 3)});
        bench.recorder.saw_instances({machine("p/a", 1), machine("p/c", 3)});
        bench.recorder.saw_instances({machine("p/b", 2), machine("p/c", 4)});
        bench.recorder.saw_instances({machine("p/c", 4), machine("p/b", 2)});
    });
    bench.recorder.input(Tag::kController, [] {});
    const auto seen = bench.inputs().at(0).instances;
    ASSERT_EQ(seen.size(), 4u);
    EXPECT_EQ(seen[0].changed.size(), 2u);
    EXPECT_TRUE(seen[1].changed.empty() && seen[1].gone.empty());
    ASSERT_EQ(seen[2].changed.size(), 2u);
    EXPECT_EQ(seen[2].changed[1].pid, 4);
    ASSERT_EQ(seen[2].gone.size(), 1u);
    EXPECT_EQ(seen[2].gone[0].vm, "p/a");
    EXPECT_TRUE(seen[3].all) << "in another order than by name: all of them";
    EXPECT_EQ(seen[3].changed.size(), 2u);
}

TEST(Recorder, a_timer_that_was_cancelled_does_not_run_and_one_that_ran_is_an_input) {
    Bench bench;
    int runs = 0;
    bench.recorder.input(Tag::kBegin, [&] {
        const TimerId first = bench.executor.after(Millis{5}, [&] { runs += 100; });
        bench.executor.after(Millis{7}, [&] { ++runs; });
        bench.executor.cancel(first);
    });
    bench.loop.run_until([&] { return runs != 0; });
    EXPECT_EQ(runs, 1);
    const std::vector<Input> inputs = bench.inputs();
    ASSERT_EQ(inputs.size(), 2u);
    ASSERT_EQ(inputs[0].timers.size(), 2u);
    EXPECT_EQ(inputs[0].timers[1].delay, Millis{7});
    EXPECT_EQ(inputs[1].tag, Tag::kTimer);
    EXPECT_EQ(inputs[1].number, 2u);
}

TEST(Recorder, any_bytes_are_read_or_refused) {
    std::uint64_t state = 7;
    for (int round = 0; round < 3000; ++round) {
        std::string bytes;
        for (int i = 0; i < 80; ++i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            bytes += static_cast<char>((state >> 33) % (i % 3 == 0 ? 50 : 256));
        }
        InputReader reader(bytes, {});
        for (int i = 0; i < 100 && !reader.at_end(); ++i)
            if (!reader.next()) break;
    }
}

}  // namespace
}  // namespace blixard::recorder
