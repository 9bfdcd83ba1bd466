// A store whose connection can be replaced under its users: when the voters, or this host's
// certificate, have changed. Watches go on without gap or repeat; requests that were sent on the
// old connection end there, for it is kept for kOldConnectionKept.
//
// The replacement must be the same store (the same etcd cluster): revisions, leases and keys go on.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "base/time.h"
#include "store/store.h"

namespace blixard::cluster {

inline constexpr Millis kOldConnectionKept = seconds(10);  // longer than any request waits

class FollowingStore final : public store::Store {
 public:
    // Destroy on the executor's thread, or when that no longer runs.
    FollowingStore(std::unique_ptr<store::Store> first, Executor& executor);
    ~FollowingStore() override;

    void replace(std::unique_ptr<store::Store> next);  // executor

    void commit(store::Transaction transaction, Callback<store::Committed> done) override;
    void read(store::Range range, Callback<store::RangeResult> done) override;
    void current_revision(Callback<store::Revision> done) override;
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override;
    void unwatch(store::WatchId watch) override;
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override;
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override;
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override;
    void compact(store::Revision revision, Callback<store::Revision> done) override;

 private:
    class Watch;

    std::shared_ptr<store::Store> current() const;

    Executor& executor_;
    mutable std::mutex mutex_;
    std::shared_ptr<store::Store> current_;  // guarded by mutex_
    std::map<store::WatchId, std::unique_ptr<Watch>>
        watches_;                    // guarded by mutex_; used on the executor
    store::WatchId last_watch_ = 0;  // guarded by mutex_
    std::map<TimerId, std::shared_ptr<store::Store>> old_;  // executor
};

}  // namespace blixard::cluster
