// The store in memory: one client's handle on a MemoryBackend. For unit tests and for the
// simulation, where each host has a handle of its own whose link can be cut, delayed and healed.
//
// Threads: any thread may call the port's methods (they post to the executor); set_link, close and
// crash belong to the executor's thread. Everything is delivered by Executor::post and after only.
#pragma once

#include <memory>

#include "base/time.h"
#include "store/memory/faults.h"
#include "store/memory/memory_backend.h"
#include "store/store.h"

namespace blixard::store {

struct MemoryOptions {
    FaultPlan* faults = nullptr;  // not owned; null: nothing goes wrong by itself
    Link link;
    Millis timeout = seconds(1);  // how long a client waits for an answer that does not come
};

class MemoryStore final : public Store {
 public:
    // With a backend of its own.
    MemoryStore(Executor& executor, const Clock& clock, MemoryOptions options = {});
    // One of several clients of `backend`, delivering on `executor`.
    MemoryStore(std::shared_ptr<MemoryBackend> backend, Executor& executor,
                MemoryOptions options = {});
    ~MemoryStore() override;  // closes

    void commit(Transaction transaction, Callback<Committed> done) override;
    void read(Range range, Callback<RangeResult> done) override;
    void current_revision(Callback<Revision> done) override;
    WatchId watch(std::string prefix, Revision from, WatchHandler& handler) override;
    void unwatch(WatchId watch) override;
    void grant_lease(Millis ttl, Callback<LeaseGrant> done) override;
    void renew_lease(LeaseId lease, Callback<LeaseGrant> done) override;
    void revoke_lease(LeaseId lease, Callback<bool> done) override;
    void compact(Revision revision, Callback<Revision> done) override;

    // Cuts, delays or heals the connection; healed watches resume without gap or repeat.
    void set_link(Link link);
    const Link& link() const;

    // Answers everything outstanding with kUnavailable (writes on their way: kUnknownOutcome) and
    // ends the watches.
    void close();
    // The host is gone: nothing is called back ever again. What was on its way to the store may
    // still happen.
    void crash();

    MemoryBackend& backend();

 private:
    class Client;
    std::shared_ptr<Client> client_;
};

}  // namespace blixard::store
