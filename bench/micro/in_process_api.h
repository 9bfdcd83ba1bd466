// The API over the store in memory, on one thread and virtual time: what a request costs besides
// sockets and disks.
#pragma once

#include <memory>
#include <string>

#include "api/api.h"
#include "base/log.h"
#include "base/random.h"
#include "bench/micro/watched_store.h"
#include "store/memory/memory_store.h"
#include "store/test_loop.h"
#include "view/view.h"

namespace blixard::bench {

class InProcessApi {
 public:
    explicit InProcessApi(std::int64_t vms);
    ~InProcessApi();

    // Until it is answered; the status.
    int ask(api::Request request);
    // Of the last request: from its being handed over to its transaction, ready for the store.
    std::uint64_t allocations_to_transaction() const { return to_transaction_; }
    const view::View& view() const { return view_; }
    WatchedStore& store() { return store_; }
    store::TestLoop& loop() { return loop_; }

 private:
    void commit(std::vector<store::KeyValue> items);

    store::TestLoop loop_{store::TestTime::kVirtual};
    NullLog log_;
    store::MemoryStore memory_;
    WatchedStore store_;
    view::View view_;
    SeededRandom random_{7};
    std::unique_ptr<api::Api> api_;
    std::uint64_t to_transaction_ = 0;
};

api::Request request(std::string method, std::string path, std::string body = {});

}  // namespace blixard::bench
