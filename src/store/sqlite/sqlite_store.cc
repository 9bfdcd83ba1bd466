#include "store/sqlite/sqlite_store.h"

#include <utility>

#include "store/sqlite/lease_clock.h"
#include "store/sqlite/ledger.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/watch_hub.h"
#include "store/sqlite/writer.h"

namespace blixard::store {
namespace {

Error no_lease(LeaseId lease) {
    return {ErrorCode::kNotFound,
            "lease " + std::to_string(lease) + " does not exist, or has ended"};
}

struct CommitJob {
    Transaction transaction;
    Callback<Committed> done;
    Result<Committed> answer;
};

class OpenStore;

// Leases' ends and watches; what tasks on the executor keep alive after the store itself has gone.
struct Delivery {
    OpenStore* store = nullptr;  // null: closed
    std::shared_ptr<LeaseClock> leases;
    std::unique_ptr<WatchHub> watches;
};

class OpenStore final : public Store {
 public:
    OpenStore(FileLock lock, Ledger writing, Ledger reading, std::vector<StoredLease> leases,
              Executor& executor, const Clock& clock)
        : lock_(std::move(lock)), executor_(executor), delivery_(std::make_shared<Delivery>()) {
        delivery_->store = this;
        delivery_->leases = std::make_shared<LeaseClock>(
            executor, clock, [delivery = std::weak_ptr(delivery_)](LeaseId lease) {
                auto alive = delivery.lock();
                if (alive && alive->store) alive->store->end_lease(lease, [](Result<bool>) {});
            });
        delivery_->watches = std::make_unique<WatchHub>(
            writing.revision(), [delivery = std::weak_ptr(delivery_)](
                                    WatchId watch, std::string prefix, Revision next) {
                auto alive = delivery.lock();
                if (alive && alive->store) alive->store->read_log(watch, std::move(prefix), next);
            });
        reader_ = std::make_unique<Reader>(std::move(reading));
        writer_ = std::make_unique<Writer>(
            std::move(writing), executor,
            [delivery = delivery_](const std::vector<Change>& changes, Revision revision) {
                delivery->watches->publish(changes, revision);
            });
        executor.post([delivery = delivery_, leases = std::move(leases)] {
            for (const StoredLease& lease : leases) delivery->leases->add(lease.id, lease.ttl);
        });
    }

    ~OpenStore() override {
        delivery_->store = nullptr;
        writer_.reset();
        reader_.reset();
        executor_.post([delivery = std::move(delivery_)] {
            delivery->leases.reset();
            delivery->watches->end_all({ErrorCode::kUnavailable, "the store is closed"});
        });
    }

    void commit(Transaction transaction, Callback<Committed> done) override {
        if (auto bounds = check_bounds(transaction); !bounds) {
            return answer<Committed>(std::move(done), fail(bounds.error()));
        }
        auto job =
            std::make_shared<CommitJob>(CommitJob{std::move(transaction), std::move(done), {}});
        writer_->submit({[job](Ledger& ledger, std::vector<Change>& changes) -> Status {
                             ASSIGN_OR_RETURN(job->answer, ledger.apply(job->transaction, changes));
                             return {};
                         },
                         [job](Status durable) {
                             if (!durable) job->answer = fail(durable.error());
                             job->done(std::move(job->answer));
                         }});
    }

    void read(Range range, Callback<RangeResult> done) override {
        submit_read(
            [range = std::move(range), done](Ledger& ledger, Executor& executor) {
                post(executor, done, ledger.read(range));
            },
            done);
    }

    void current_revision(Callback<Revision> done) override {
        answer<Revision>(std::move(done), writer_->revision());
    }

    WatchId watch(std::string prefix, Revision from, WatchHandler& handler) override {
        const WatchId id = delivery_->watches->add(std::move(prefix), from, handler);
        executor_.post([delivery = std::weak_ptr(delivery_), id] {
            if (auto alive = delivery.lock()) alive->watches->start(id);
        });
        return id;
    }

    void unwatch(WatchId watch) override { delivery_->watches->remove(watch); }

    void grant_lease(Millis ttl, Callback<LeaseGrant> done) override {
        if (ttl <= Millis{0}) {
            return answer<LeaseGrant>(
                std::move(done), fail(ErrorCode::kInvalid, "a lease needs a time to live above 0"));
        }
        auto id = std::make_shared<LeaseId>();
        writer_->submit({[id, ttl](Ledger& ledger, std::vector<Change>&) -> Status {
                             ASSIGN_OR_RETURN(*id, ledger.add_lease(ttl));
                             return {};
                         },
                         [id, ttl, done = std::move(done), delivery = delivery_](Status durable) {
                             if (!durable) return done(fail(durable.error()));
                             if (delivery->leases) delivery->leases->add(*id, ttl);
                             done(LeaseGrant{*id, ttl});
                         }});
    }

    void renew_lease(LeaseId lease, Callback<LeaseGrant> done) override {
        executor_.post([delivery = std::weak_ptr(delivery_), lease, done = std::move(done)] {
            auto alive = delivery.lock();
            if (!alive || !alive->leases)
                return done(fail(ErrorCode::kUnavailable, "the store is closed"));
            done(alive->leases->renew(lease));
        });
    }

    void revoke_lease(LeaseId lease, Callback<bool> done) override {
        end_lease(lease, std::move(done));
    }

    void compact(Revision revision, Callback<Revision> done) override {
        auto answer = std::make_shared<Status>();
        writer_->submit({[answer, revision](Ledger& ledger, std::vector<Change>&) -> Status {
                             ASSIGN_OR_RETURN(*answer, ledger.compact(revision));
                             return {};
                         },
                         [answer, revision, done = std::move(done)](Status durable) {
                             if (!durable) return done(fail(durable.error()));
                             if (!*answer) return done(fail(answer->error()));
                             done(revision);
                         }});
    }

 private:
    template <class T>
    static void post(Executor& executor, const Callback<T>& done, Result<T> result) {
        executor.post([done, result = std::move(result)]() mutable { done(std::move(result)); });
    }

    template <class T>
    void answer(Callback<T> done, Result<T> result) {
        post(executor_, done, std::move(result));
    }

    template <class T, class Job>
    void submit_read(Job job, const Callback<T>& done) {
        const bool taken = reader_->submit([job = std::move(job), &executor = executor_](
                                               Ledger& ledger) { job(ledger, executor); });
        if (!taken)
            answer<T>(done, fail(ErrorCode::kExhausted, "too many reads wait for the store"));
    }

    void end_lease(LeaseId lease, Callback<bool> done) {
        auto existed = std::make_shared<bool>();
        writer_->submit(
            {[existed, lease](Ledger& ledger, std::vector<Change>& changes) -> Status {
                 ASSIGN_OR_RETURN(*existed, ledger.end_lease(lease, changes));
                 return {};
             },
             [existed, lease, done = std::move(done), delivery = delivery_](Status durable) {
                 if (!durable) return done(fail(durable.error()));
                 if (delivery->leases) delivery->leases->remove(lease);
                 *existed ? done(true) : done(fail(no_lease(lease)));
             }});
    }

    void read_log(WatchId watch, std::string prefix, Revision next) {
        Callback<LogPart> done = [delivery = std::weak_ptr(delivery_),
                                  watch](Result<LogPart> part) {
            if (auto alive = delivery.lock()) alive->watches->caught_up(watch, std::move(part));
        };
        submit_read(
            [prefix = std::move(prefix), next, done](Ledger& ledger, Executor& executor) {
                post(executor, done, ledger.log(prefix, next));
            },
            done);
    }

    FileLock lock_;
    Executor& executor_;
    std::shared_ptr<Delivery> delivery_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<Writer> writer_;
};

}  // namespace

Result<std::unique_ptr<Store>> SqliteStore::open(const std::string& path, Executor& executor,
                                                 const Clock& clock) {
    ASSIGN_OR_RETURN(FileLock lock, FileLock::take(path + ".lock"));
    ASSIGN_OR_RETURN(Ledger writing, Ledger::open(path));
    ASSIGN_OR_RETURN(Ledger reading, Ledger::open(path));
    ASSIGN_OR_RETURN(auto leases, reading.leases());
    return std::make_unique<OpenStore>(std::move(lock), std::move(writing), std::move(reading),
                                       std::move(leases), executor, clock);
}

}  // namespace blixard::store
