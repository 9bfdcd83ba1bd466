// The past: events that are still in memory, changes out of the store's file, the store at a
// revision.
#include "api/event_ring.h"
#include "api/event_text.h"
#include "api/ports.h"
#include "base/assert.h"
#include "bench/micro/rows.h"
#include "bench/micro/state.h"
#include "os/event_loop.h"
#include "os/temp_dir.h"
#include "store/sqlite/sqlite_store.h"
#include "view/view.h"

namespace blixard::bench {
namespace {

constexpr int kPage = 100;
constexpr std::int64_t kVmsTogether = 40;  // in a transaction, which takes 128 operations

void ring_page(benchmark::State& state) {
    const view::SnapshotPtr snapshot = make_state(1000);
    api::EventRing ring(api::Settings{}.events_kept);
    ring.restart(1);
    for (std::int64_t i = 0; i < 1000; ++i) {
        std::vector<view::Changed> changes;
        changes.push_back(view::describe_change({false, vm_items(i, i + 2)[2]}));
        for (const api::EventPtr& event : api::make_events(changes, *snapshot)) ring.append(event);
    }
    std::string page;
    for (auto _ : state) {
        page.clear();
        api::EventPlace at{500};
        for (int i = 0; i < kPage; ++i) {
            const api::EventPtr event = ring.next(at);
            at = event->place;
            page += event->text;
        }
        benchmark::DoNotOptimize(page.data());
    }
    state.counters["bytes"] = static_cast<double>(page.size());
}
BENCHMARK(ring_page)->Name("page of 100 events, from memory");

// A file with a thousand VMs, and a hundred of their statuses written once more each. Made once: it
// waits for a disk.
class StoreFile {
 public:
    static StoreFile& made_once() {
        static StoreFile file;
        return file;
    }

    // A page as of the time when all was written once.
    std::size_t page() {
        std::size_t bytes = 0;
        bool done = false;
        store_->read({.prefix = "vms/default/web-005", .limit = kPage, .at = middle_},
                     [&](const Result<store::RangeResult>& page) {
                         ASSERT(page && page->items.size() == kPage);
                         for (const store::KeyValue& item : page->items) bytes += item.value.size();
                         done = true;
                     });
        ASSERT(loop_.run_until([&] { return done; }, seconds(10)));
        return bytes;
    }

    // The changes behind `middle_`, as an event stream that resumes there gets them.
    std::size_t changes() {
        struct Handler : store::WatchHandler {
            void on_batch(store::WatchBatch batch) override { seen += batch.changes.size(); }
            void on_end(Error) override {}
            std::size_t seen = 0;
        } handler;
        const store::WatchId watch = store_->watch("", newest_ - kPage + 1, handler);
        ASSERT(loop_.run_until([&] { return handler.seen >= kPage; }, seconds(10)));
        store_->unwatch(watch);
        return handler.seen;
    }

 private:
    StoreFile()
        : store_(std::move(*store::SqliteStore::open(dir_.path() + "/store.db", loop_, loop_))) {
        for (std::int64_t first = 0; first < 1000; first += kVmsTogether) {
            std::vector<store::KeyValue> items;
            for (std::int64_t i = first; i < first + kVmsTogether; ++i)
                for (store::KeyValue& item : vm_items(i, 0)) items.push_back(std::move(item));
            put(std::move(items));
        }
        middle_ = newest_;
        for (std::int64_t i = 0; i < kPage; ++i) put({vm_items(i, 0)[2]});
    }

    void put(std::vector<store::KeyValue> items) {
        store::Transaction transaction;
        for (store::KeyValue& item : items)
            transaction.puts.push_back({std::move(item.key), std::move(item.value)});
        bool done = false;
        store_->commit(std::move(transaction), [&](const Result<store::Committed>& result) {
            newest_ = result->revision;
            done = true;
        });
        ASSERT(loop_.run_until([&] { return done; }, seconds(10)));
    }

    const os::TempDir dir_;
    os::EventLoop loop_;
    std::unique_ptr<store::Store> store_;
    store::Revision middle_ = 0, newest_ = 0;
};

void page_at_revision(benchmark::State& state) {
    StoreFile& file = StoreFile::made_once();
    std::size_t bytes = 0;
    for (auto _ : state) bytes = file.page();
    state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(page_at_revision)
    ->Name("page of 100 from the store at a revision")
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

void past_changes(benchmark::State& state) {
    StoreFile& file = StoreFile::made_once();
    for (auto _ : state) benchmark::DoNotOptimize(file.changes());
}
BENCHMARK(past_changes)
    ->Name("100 past changes from the store")
    ->Unit(benchmark::kMicrosecond)
    ->UseRealTime();

}  // namespace
}  // namespace blixard::bench
