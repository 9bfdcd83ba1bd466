// A store whose writes can be stopped while its contents are moved: what was begun ends, what comes
// is refused (kUnavailable, nothing happened). Reads, watches and leases' renewals go on. Any
// thread.
#pragma once

#include <atomic>
#include <memory>

#include "store/store.h"

namespace blixard::cluster {

class WriteGate final : public store::Store {
 public:
    explicit WriteGate(std::unique_ptr<store::Store> inner) : inner_(std::move(inner)) {}

    void close() { closed_ = true; }
    void open() { closed_ = false; }
    int writes_under_way() const { return *under_way_; }

    void commit(store::Transaction transaction, Callback<store::Committed> done) override {
        ++*under_way_;  // before the look at the gate: who closes it sees every write that went
                        // through
        if (closed_) {
            --*under_way_;
            return inner_->read(
                {"\xff", {}, 1, 0}, [done = std::move(done)](const Result<store::RangeResult>&) {
                    done(fail(ErrorCode::kUnavailable, "the store is being moved to a cluster",
                              "try again in some seconds"));
                });
        }
        inner_->commit(std::move(transaction), [count = under_way_, done = std::move(done)](
                                                   Result<store::Committed> result) {
            --*count;
            done(std::move(result));
        });
    }
    void read(store::Range range, Callback<store::RangeResult> done) override {
        inner_->read(std::move(range), std::move(done));
    }
    void current_revision(Callback<store::Revision> done) override {
        inner_->current_revision(std::move(done));
    }
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override {
        return inner_->watch(std::move(prefix), from, handler);
    }
    void unwatch(store::WatchId watch) override { inner_->unwatch(watch); }
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override {
        inner_->grant_lease(ttl, std::move(done));
    }
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override {
        inner_->renew_lease(lease, std::move(done));
    }
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override {
        inner_->revoke_lease(lease, std::move(done));
    }
    void compact(store::Revision revision, Callback<store::Revision> done) override {
        inner_->compact(revision, std::move(done));
    }

 private:
    const std::unique_ptr<store::Store> inner_;
    std::atomic<bool> closed_ = false;
    std::shared_ptr<std::atomic<int>> under_way_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace blixard::cluster
