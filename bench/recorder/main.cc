// What the flight recorder costs the control loops: the same calls through their ports with it and
// without it, into a file as the daemon writes it. ns, heap allocations and bytes for each.
//
// recorder-bench [rounds]
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "os/files.h"
#include "recorder/ports.h"
#include "recorder/record.h"
#include "recorder/recorder.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}

void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) return memory;
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace blixard::recorder {
namespace {

constexpr int kRepeats = 5;  // the best counts: others use the machine, too

class RealClock final : public Clock {
 public:
    MonoTime mono() const override {
        return {count(std::chrono::steady_clock::now().time_since_epoch())};
    }
    WallTime wall() const override {
        return {count(std::chrono::system_clock::now().time_since_epoch())};
    }

 private:
    template <class Span>
    static std::int64_t count(Span span) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
    }
};

// Runs what is posted when told to.
class Loop final : public Executor {
 public:
    void post(std::function<void()> task) override { task_ = std::move(task); }
    TimerId after(Millis, std::function<void()> task) override {
        task_ = std::move(task);
        return 1;
    }
    void cancel(TimerId) override {}
    void run() { std::exchange(task_, nullptr)(); }

 private:
    std::function<void()> task_;
};

// Answers at once when told to.
class Answers final : public store::Store {
 public:
    void commit(store::Transaction, Callback<store::Committed> done) override {
        committed = std::move(done);
    }
    void read(store::Range, Callback<store::RangeResult>) override {}
    void current_revision(Callback<store::Revision>) override {}
    store::WatchId watch(std::string, store::Revision, store::WatchHandler& handler) override {
        watching = &handler;
        return 1;
    }
    void unwatch(store::WatchId) override {}
    void grant_lease(Millis, Callback<store::LeaseGrant>) override {}
    void renew_lease(store::LeaseId, Callback<store::LeaseGrant> done) override {
        renewed = std::move(done);
    }
    void revoke_lease(store::LeaseId, Callback<bool>) override {}
    void compact(store::Revision, Callback<store::Revision>) override {}

    Callback<store::Committed> committed;
    Callback<store::LeaseGrant> renewed;
    store::WatchHandler* watching = nullptr;
};

class Nobody final : public store::WatchHandler {
 public:
    void on_batch(store::WatchBatch) override {}
    void on_end(Error) override {}
};

class FileSink final : public Sink {
 public:
    FileSink()
        : path_(fmt::format("{}/recorder-bench-{}",
                            std::getenv("TMPDIR") ? std::getenv("TMPDIR") : "/tmp", getpid())) {
        file_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        unlink(path_.c_str());
    }
    ~FileSink() override { close(file_); }
    void begin_segment(Checkpoint) override {}
    void append(std::string_view entries) override {
        const std::string bytes = block(Block::kEntries, entries);
        written += bytes.size();
        if (!os::write_all(file_, bytes, path_)) std::abort();
        if (written % (256u << 20) < bytes.size() && ftruncate(file_, 0) != 0) std::abort();
    }
    std::uint64_t written = 0;

 private:
    std::string path_;
    int file_;
};

struct Cost {
    double ns = 1e18, allocations = 0, bytes = 0;
};

Cost measure(std::uint64_t rounds, const FileSink& sink, const std::function<void()>& once) {
    Cost best;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
        const std::uint64_t bytes_before = sink.written, allocations_before = allocations;
        const auto begin = std::chrono::steady_clock::now();
        for (std::uint64_t i = 0; i < rounds; ++i) once();
        const std::chrono::duration<double, std::nano> took =
            std::chrono::steady_clock::now() - begin;
        const auto each = static_cast<double>(rounds);
        if (took.count() / each < best.ns)
            best = {took.count() / each,
                    static_cast<double>(allocations - allocations_before) / each,
                    static_cast<double>(sink.written - bytes_before) / each};
    }
    return best;
}

void row(const char* name, const Cost& bare, const Cost& recorded) {
    fmt::print("{:<44} {:>9.0f} {:>9.0f} {:>10.1f} {:>8.0f}\n", name, bare.ns, recorded.ns,
               recorded.allocations - bare.allocations, recorded.bytes);
}

int run(std::uint64_t rounds) {
    RealClock clock;
    Answers answers;
    Loop loop;
    FileSink sink;
    Recorder recorder(clock, sink);
    RecordedStore store(recorder, answers);
    RecordedExecutor executor(recorder, loop);
    RecordedClock seen(recorder, clock);
    recorder.begin({.state = std::make_shared<view::Snapshot>()});

    fmt::print("{:<44} {:>9} {:>9} {:>10} {:>8}\n", "", "ns bare", "recorded", "+ allocs", "bytes");
    // What the loops ask for counts only while they are told something: so they are, by the call
    // that `asks`.
    using Asks = std::function<void(store::Store&, Executor&, const Clock&)>;
    const auto both = [&](const char* name, const Asks& asks,
                          const std::function<void()>& happens) {
        const Cost bare = measure(rounds, sink, [&] {
            asks(answers, loop, clock);
            happens();
        });
        const Cost recorded = measure(rounds, sink, [&] {
            recorder.input(Tag::kController, [&] { asks(store, executor, seen); });
            happens();
        });
        row(name, bare, recorded);
    };

    both(
        "a timer that runs out and reads the clock",
        [&](store::Store&, Executor& on, const Clock& time) {
            on.after(Millis{5}, [&time] { (void)time.mono(); });
        },
        [&] { loop.run(); });
    both(
        "a renewal of the lease and its answer",
        [&](store::Store& in, Executor&, const Clock&) {
            in.renew_lease(7, [](const Result<store::LeaseGrant>&) {});
        },
        [&] { answers.renewed(store::LeaseGrant{7, seconds(4)}); });
    const std::string status(600, 'x');
    both(
        "a status of 600 bytes written, and its answer",
        [&](store::Store& in, Executor&, const Clock&) {
            store::Transaction put;
            put.compares.push_back({"vms/default/web-1/placement", 17});
            put.compares.push_back({"nodes/host-1/lease", 3});
            put.puts.push_back({.key = "vms/default/web-1/status", .value = status});
            in.commit(std::move(put), [](const Result<store::Committed>&) {});
        },
        [&] { answers.committed(store::Committed{true, 40}); });
    Nobody nobody;
    answers.watch("", 1, nobody);
    store::WatchHandler* const plain = answers.watching;
    store.watch("", 1, nobody);
    store::WatchHandler* const recorded = answers.watching;
    const auto change = [&](const char* name, const std::string& key, const std::string& value) {
        store::WatchBatch batch{.revision = 9};
        batch.changes.push_back({false, {.key = key, .value = value, .mod_revision = 9}});
        row(name, measure(rounds, sink, [&] { plain->on_batch(batch); }),
            measure(rounds, sink, [&] { recorded->on_batch(batch); }));
    };
    change("a change: a placement of 1500 bytes", "vms/default/web-1/placement",
           std::string(1500, 'x'));
    model::VmRecord record{.uid = "0123456789abcdef0123456789abcdef",
                           .created_at = "2026-11-21T03:40:00.123Z"};
    record.spec.image = "debian-13";
    record.spec.disks.push_back({.name = "root", .size_mib = 10240});
    record.spec.cloud_init.user_data = std::string(400, 'u');
    const std::string spec = model::to_json(record);
    change(fmt::format("a change: a spec of {} bytes, with secrets", spec.size()).c_str(),
           "vms/default/web-1/spec", spec);
    return 0;
}

}  // namespace
}  // namespace blixard::recorder

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::atol(argv[1]) : 100'000;
    return blixard::recorder::run(static_cast<std::uint64_t>(std::max(1L, rounds)));
}
