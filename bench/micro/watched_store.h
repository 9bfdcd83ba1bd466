// A store that says when a transaction reaches it.
#pragma once

#include <functional>
#include <utility>

#include "store/store.h"

namespace blixard::bench {

class WatchedStore final : public store::Store {
 public:
    explicit WatchedStore(store::Store& store) : store_(store) {}

    std::function<void(const store::Transaction&)> on_commit;

    void commit(store::Transaction transaction, Callback<store::Committed> done) override {
        if (on_commit) on_commit(transaction);
        store_.commit(std::move(transaction), std::move(done));
    }
    void read(store::Range range, Callback<store::RangeResult> done) override {
        store_.read(std::move(range), std::move(done));
    }
    void current_revision(Callback<store::Revision> done) override {
        store_.current_revision(std::move(done));
    }
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override {
        return store_.watch(std::move(prefix), from, handler);
    }
    void unwatch(store::WatchId watch) override { store_.unwatch(watch); }
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override {
        store_.grant_lease(ttl, std::move(done));
    }
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override {
        store_.renew_lease(lease, std::move(done));
    }
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override {
        store_.revoke_lease(lease, std::move(done));
    }
    void compact(store::Revision revision, Callback<store::Revision> done) override {
        store_.compact(revision, std::move(done));
    }

 private:
    store::Store& store_;
};

}  // namespace blixard::bench
