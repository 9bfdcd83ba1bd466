#include "cluster/following_store.h"

namespace blixard::cluster {

// One user's watch, carried over from connection to connection: it knows what was delivered.
class FollowingStore::Watch final : public store::WatchHandler {
 public:
    Watch(std::string prefix, store::Revision from, store::WatchHandler& handler)
        : prefix_(std::move(prefix)), next_(from), handler_(handler) {}

    void begin(const std::shared_ptr<store::Store>& store) {
        store_ = store;
        id_ = store->watch(prefix_, next_, *this);
    }
    void end() {
        if (store_ && id_ != 0) store_->unwatch(id_);
        store_.reset();
        id_ = 0;
    }
    void on_batch(store::WatchBatch batch) override {
        next_ = std::max(next_, batch.revision + 1);
        handler_.on_batch(std::move(batch));
    }
    void on_end(Error error) override {
        id_ = 0;
        handler_.on_end(std::move(error));
    }

 private:
    const std::string prefix_;
    store::Revision next_;
    store::WatchHandler& handler_;
    std::shared_ptr<store::Store> store_;
    store::WatchId id_ = 0;
};

FollowingStore::FollowingStore(std::unique_ptr<store::Store> first, Executor& executor)
    : executor_(executor), current_(std::move(first)) {}

FollowingStore::~FollowingStore() {
    for (auto& [timer, store] : old_) executor_.cancel(timer);
    for (auto& [id, watch] : watches_) watch->end();
}

std::shared_ptr<store::Store> FollowingStore::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void FollowingStore::replace(std::unique_ptr<store::Store> next) {
    std::shared_ptr<store::Store> replacement = std::move(next);
    const std::lock_guard lock(mutex_);
    for (auto& [id, watch] : watches_) {
        watch->end();
        watch->begin(replacement);
    }
    auto old = std::exchange(current_, replacement);
    auto timer = std::make_shared<TimerId>(0);
    *timer = executor_.after(kOldConnectionKept, [this, timer] { old_.erase(*timer); });
    old_[*timer] = std::move(old);
}

void FollowingStore::commit(store::Transaction transaction, Callback<store::Committed> done) {
    current()->commit(std::move(transaction), std::move(done));
}
void FollowingStore::read(store::Range range, Callback<store::RangeResult> done) {
    current()->read(std::move(range), std::move(done));
}
void FollowingStore::current_revision(Callback<store::Revision> done) {
    current()->current_revision(std::move(done));
}

store::WatchId FollowingStore::watch(std::string prefix, store::Revision from,
                                     store::WatchHandler& handler) {
    const std::lock_guard lock(mutex_);
    auto watch = std::make_unique<Watch>(std::move(prefix), from, handler);
    watch->begin(current_);
    watches_.emplace(++last_watch_, std::move(watch));
    return last_watch_;
}

void FollowingStore::unwatch(store::WatchId id) {
    std::unique_ptr<Watch> watch;
    const std::lock_guard lock(mutex_);
    const auto found = watches_.find(id);
    if (found == watches_.end()) return;
    watch = std::move(found->second);
    watches_.erase(found);
    watch->end();
    // A batch may be on its way to the executor's queue already.
    executor_.post([watch = std::shared_ptr<Watch>(std::move(watch))] {});
}

void FollowingStore::grant_lease(Millis ttl, Callback<store::LeaseGrant> done) {
    current()->grant_lease(ttl, std::move(done));
}
void FollowingStore::renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) {
    current()->renew_lease(lease, std::move(done));
}
void FollowingStore::revoke_lease(store::LeaseId lease, Callback<bool> done) {
    current()->revoke_lease(lease, std::move(done));
}
void FollowingStore::compact(store::Revision revision, Callback<store::Revision> done) {
    current()->compact(revision, std::move(done));
}

}  // namespace blixard::cluster
