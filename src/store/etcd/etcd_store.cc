#include "store/etcd/etcd_store.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "store/etcd/commits.h"
#include "store/etcd/etcd_watch.h"
#include "store/etcd/page_size.h"
#include "store/etcd/renewals.h"
#include "store/etcd/unary.h"
#include "store/keys.h"

namespace blixard::store {
namespace {

constexpr Millis kReadTimeout = seconds(10);  // a page, at least: many megabytes, on a slow machine

KeyValue item_of(mvccpb::KeyValue& kv) {
    return {std::move(*kv.mutable_key()), std::move(*kv.mutable_value()), kv.create_revision(),
            kv.mod_revision(), kv.lease()};
}

// Reads a range in pages at one revision.
class RangeRead : public std::enable_shared_from_this<RangeRead> {
 public:
    RangeRead(std::shared_ptr<Connection> connection, std::shared_ptr<PageSize> size,
              Executor& executor, Range range, Callback<RangeResult> done)
        : connection_(std::move(connection)),
          size_(std::move(size)),
          executor_(executor),
          range_(std::move(range)),
          done_(std::move(done)) {
        result_.revision = range_.at;
        next_ = range_.after < range_.prefix ? range_.prefix : range_.after + '\0';
        if (next_.empty()) next_ = std::string(1, '\0');
    }

    void read_page() {
        pb::RangeRequest request;
        const std::string end = prefix_end(range_.prefix);
        request.set_key(next_);
        request.set_range_end(end.empty() ? std::string(1, '\0') : end);
        request.set_revision(result_.revision);
        request.set_limit(page_limit());
        Unary<pb::RangeRequest, pb::RangeResponse>::ask(
            *connection_,
            [](Endpoint& endpoint, grpc::ClientContext* context, const pb::RangeRequest& range,
               grpc::CompletionQueue* queue) {
                return endpoint.kv->AsyncRange(context, range, queue);
            },
            std::move(request), Again::kSafe, kReadTimeout,
            [self = shared_from_this()](Result<pb::RangeResponse> page) {
                self->take(std::move(page));
            });
    }

 private:
    std::int64_t page_limit() const {
        if (range_.limit == 0) return size_->keys();
        return std::min<std::int64_t>(
            size_->keys(), static_cast<std::int64_t>(range_.limit - result_.items.size()));
    }

    void take(Result<pb::RangeResponse> page) {
        if (!page) return answer(fail(page.error()));
        if (result_.revision == 0) result_.revision = page->header().revision();
        std::int64_t bytes = 0;
        for (auto& kv : *page->mutable_kvs()) {
            bytes += static_cast<std::int64_t>(kv.value().size());
            result_.items.push_back(item_of(kv));
        }
        size_->learn(page->kvs_size(), bytes);
        const bool enough = range_.limit != 0 && result_.items.size() >= range_.limit;
        result_.more = page->more() && enough;
        if (!page->more() || enough) return answer(std::move(result_));
        next_ = result_.items.back().key + '\0';
        read_page();
    }

    void answer(Result<RangeResult> result) {
        executor_.post([done = std::move(done_), result = std::move(result)]() mutable {
            done(std::move(result));
        });
    }

    const std::shared_ptr<Connection> connection_;
    const std::shared_ptr<PageSize> size_;
    Executor& executor_;
    const Range range_;
    Callback<RangeResult> done_;
    std::string next_;
    RangeResult result_;
};

// Questions for the newest revision that come while one is under way share the next one.
class RevisionReads : public std::enable_shared_from_this<RevisionReads> {
 public:
    RevisionReads(std::shared_ptr<Connection> connection, Executor& executor)
        : connection_(std::move(connection)), executor_(executor) {}

    void submit(Callback<Revision> done) {
        std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(done));
        if (!asking_) ask();
    }

 private:
    void ask() {
        asking_ = true;
        pb::RangeRequest request;
        request.set_key(std::string(1, '\0'));
        request.set_count_only(true);
        auto group = std::make_shared<std::vector<Callback<Revision>>>(std::exchange(waiting_, {}));
        // Not within the lock: the answer may come at once, when the store is being closed.
        executor_.post([self = shared_from_this(), group, request] {
            Unary<pb::RangeRequest, pb::RangeResponse>::ask(
                *self->connection_,
                [](Endpoint& endpoint, grpc::ClientContext* context, const pb::RangeRequest& range,
                   grpc::CompletionQueue* queue) {
                    return endpoint.kv->AsyncRange(context, range, queue);
                },
                request, Again::kSafe, Millis{0},
                [self, group](Result<pb::RangeResponse> response) {
                    self->answered(group, std::move(response));
                });
        });
    }

    void answered(std::shared_ptr<std::vector<Callback<Revision>>> group,
                  Result<pb::RangeResponse> response) {
        Result<Revision> revision = fail(ErrorCode::kUnavailable, "");
        response ? revision = response->header().revision() : revision = fail(response.error());
        executor_.post([group, revision] {
            for (auto& done : *group) done(revision);
        });
        std::lock_guard lock(mutex_);
        asking_ = false;
        if (!waiting_.empty()) ask();
    }

    const std::shared_ptr<Connection> connection_;
    Executor& executor_;
    std::mutex mutex_;  // guards the two below
    std::vector<Callback<Revision>> waiting_;
    bool asking_ = false;
};

class ConnectedStore final : public Store {
 public:
    ConnectedStore(EtcdOptions options, Executor& executor, const Clock& clock, Log& log)
        : executor_(executor),
          connection_(std::make_shared<Connection>(std::move(options), log)),
          commits_(std::make_shared<Commits>(connection_, executor, clock)),
          revisions_(std::make_shared<RevisionReads>(connection_, executor)),
          renewals_(*connection_) {}

    ~ConnectedStore() override {
        connection_->shut_down();
        commits_->close();
        // What is still posted refers to the connection, which therefore goes last.
        executor_.post([connection = connection_, commits = commits_, watches = all_watches()] {
            for (const auto& watch : watches)
                watch->end({ErrorCode::kUnavailable, "the store is closed"});
        });
    }

    void commit(Transaction transaction, Callback<Committed> done) override {
        if (auto bounds = check_bounds(transaction); !bounds) {
            return answer<Committed>(done, fail(bounds.error()));
        }
        commits_->submit(std::move(transaction), std::move(done));
    }

    void read(Range range, Callback<RangeResult> done) override {
        std::make_shared<RangeRead>(connection_, page_size_, executor_, std::move(range),
                                    std::move(done))
            ->read_page();
    }

    void current_revision(Callback<Revision> done) override { revisions_->submit(std::move(done)); }

    WatchId watch(std::string prefix, Revision from, WatchHandler& handler) override {
        auto watch =
            std::make_shared<EtcdWatch>(connection_, executor_, std::move(prefix), from, handler);
        WatchId id = 0;
        {
            std::lock_guard lock(mutex_);
            id = ++last_watch_;
            watches_[id] = watch;
        }
        watch->start();
        return id;
    }

    void unwatch(WatchId id) override {
        std::shared_ptr<EtcdWatch> watch;
        {
            std::lock_guard lock(mutex_);
            auto node = watches_.extract(id);
            if (node.empty()) return;
            watch = std::move(node.mapped());
        }
        watch->stop();
    }

    void grant_lease(Millis ttl, Callback<LeaseGrant> done) override {
        if (ttl <= Millis{0}) {
            return answer<LeaseGrant>(
                done, fail(ErrorCode::kInvalid, "a lease needs a time to live above 0"));
        }
        pb::LeaseGrantRequest request;
        request.set_ttl((ttl.count + 999) / 1000);
        // Asking twice at worst leaves a lease behind that nobody renews.
        Unary<pb::LeaseGrantRequest, pb::LeaseGrantResponse>::ask(
            *connection_,
            [](Endpoint& endpoint, grpc::ClientContext* context, const pb::LeaseGrantRequest& grant,
               grpc::CompletionQueue* queue) {
                return endpoint.lease->AsyncLeaseGrant(context, grant, queue);
            },
            std::move(request), Again::kSafe, Millis{0},
            [this, done](Result<pb::LeaseGrantResponse> response) {
                if (!response) return answer<LeaseGrant>(done, fail(response.error()));
                answer<LeaseGrant>(done, LeaseGrant{response->id(), seconds(response->ttl())});
            });
    }

    void renew_lease(LeaseId lease, Callback<LeaseGrant> done) override {
        renewals_.ask(lease, [this, lease, done](Result<pb::LeaseKeepAliveResponse> response) {
            if (!response) return answer<LeaseGrant>(done, fail(response.error()));
            if (response->ttl() <= 0) return answer<LeaseGrant>(done, fail(no_lease(lease)));
            answer<LeaseGrant>(done, LeaseGrant{lease, seconds(response->ttl())});
        });
    }

    void revoke_lease(LeaseId lease, Callback<bool> done) override {
        pb::LeaseRevokeRequest request;
        request.set_id(lease);
        Unary<pb::LeaseRevokeRequest, pb::LeaseRevokeResponse>::ask(
            *connection_,
            [](Endpoint& endpoint, grpc::ClientContext* context,
               const pb::LeaseRevokeRequest& revoke, grpc::CompletionQueue* queue) {
                return endpoint.lease->AsyncLeaseRevoke(context, revoke, queue);
            },
            std::move(request), Again::kNever, Millis{0},
            [this, lease, done](Result<pb::LeaseRevokeResponse> response) {
                if (response) return answer<bool>(done, true);
                const bool gone = response.error().code == ErrorCode::kNotFound;
                answer<bool>(done, fail(gone ? no_lease(lease) : response.error()));
            });
    }

    // etcd forgets deletions at the revision it is compacted to; one revision less keeps all that
    // the port promises.
    void compact(Revision revision, Callback<Revision> done) override {
        pb::CompactionRequest request;
        request.set_revision(revision - 1);
        Unary<pb::CompactionRequest, pb::CompactionResponse>::ask(
            *connection_,
            [](Endpoint& endpoint, grpc::ClientContext* context,
               const pb::CompactionRequest& compaction, grpc::CompletionQueue* queue) {
                return endpoint.kv->AsyncCompact(context, compaction, queue);
            },
            std::move(request), Again::kSafe, Millis{0},
            [this, revision, done](Result<pb::CompactionResponse> response) {
                if (!response) return answer<Revision>(done, fail(response.error()));
                answer<Revision>(done, revision);
            });
    }

 private:
    static Error no_lease(LeaseId lease) {
        return {ErrorCode::kNotFound,
                "lease " + std::to_string(lease) + " does not exist, or has ended"};
    }

    template <class T>
    void answer(const Callback<T>& done, Result<T> result) {
        executor_.post([done, result = std::move(result)]() mutable { done(std::move(result)); });
    }

    std::vector<std::shared_ptr<EtcdWatch>> all_watches() {
        std::lock_guard lock(mutex_);
        std::vector<std::shared_ptr<EtcdWatch>> all;
        for (auto& [id, watch] : watches_) all.push_back(watch);
        return all;
    }

    Executor& executor_;
    const std::shared_ptr<Connection> connection_;
    const std::shared_ptr<Commits> commits_;
    const std::shared_ptr<RevisionReads> revisions_;
    const std::shared_ptr<PageSize> page_size_ = std::make_shared<PageSize>();  // of all reads
    Renewals renewals_;

    std::mutex mutex_;  // guards the two below
    std::map<WatchId, std::shared_ptr<EtcdWatch>> watches_;
    WatchId last_watch_ = 0;
};

}  // namespace

Result<std::unique_ptr<Store>> EtcdStore::connect(EtcdOptions options, Executor& executor,
                                                  const Clock& clock, Log& log) {
    if (options.endpoints.empty()) return fail(ErrorCode::kInvalid, "no etcd endpoint given");
    for (const std::string& endpoint : options.endpoints) {
        const std::size_t colon = endpoint.rfind(':');
        if (colon == std::string::npos || colon + 1 == endpoint.size() ||
            endpoint.find('/') != std::string::npos) {
            return fail(ErrorCode::kInvalid, "etcd endpoint \"" + endpoint + "\" is not host:port");
        }
    }
    return std::make_unique<ConnectedStore>(std::move(options), executor, clock, log);
}

}  // namespace blixard::store
