#include "store/memory/memory_store.h"

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

namespace blixard::store {
namespace {

Error closed_error() { return {ErrorCode::kUnavailable, "the store is closed"}; }
Error cut_error() { return {ErrorCode::kUnavailable, "the store cannot be reached"}; }
Error unknown_error() {
    return {ErrorCode::kUnknownOutcome, "no answer from the store; the write may have happened"};
}

struct Watch {
    std::string prefix;
    Revision next;
    WatchHandler* handler;
    std::atomic<bool> active{true};
};

}  // namespace

// Kept alive by the tasks that are still to run for it.
class MemoryStore::Client final : public MemoryBackend::Listener,
                                  public std::enable_shared_from_this<Client> {
 public:
    Client(std::shared_ptr<MemoryBackend> backend, Executor& executor, MemoryOptions options)
        : backend_(std::move(backend)), executor_(executor), options_(options) {}

    enum class Kind { kRead, kWrite };

    // Sends a request over the link: `serve` runs at the store, `done` with its result here.
    template <class T>
    void send(Kind kind, std::function<Result<T>(MemoryBackend&)> serve, Callback<T> done,
              CommitFault fault = {}) {
        if (gone_) return;
        const std::uint64_t id = open<T>(kind, std::move(done));
        if (closed_) return refuse(id, closed_error());
        if (options_.link.requests_cut || !backend_->running()) return time_out(id, cut_error());
        const Millis delay = options_.link.delay + fault.delay;
        later(backend_->executor(), delay,
              [self = shared_from_this(), id, kind, fault, serve = std::move(serve)] {
                  self->arrive<T>(id, kind, fault, serve);
              });
    }

    CommitFault next_fault(const Transaction& transaction) {
        return options_.faults && !gone_ ? options_.faults->on_commit(transaction) : CommitFault{};
    }

    void run(std::function<void(Client&)> task) {
        executor_.post([self = shared_from_this(), task = std::move(task)] {
            if (!self->gone_) task(*self);
        });
    }

    WatchId add_watch(std::string prefix, Revision from, WatchHandler& handler) {
        auto watch = std::make_shared<Watch>();
        watch->prefix = std::move(prefix);
        watch->next = std::max<Revision>(from, 1);
        watch->handler = &handler;
        WatchId id = 0;
        {
            std::lock_guard lock(mutex_);
            id = ++last_watch_;
            watches_[id] = std::move(watch);
        }
        run([](Client& client) { client.closed_ ? client.end_watches() : client.on_revision(); });
        return id;
    }

    void remove_watch(WatchId id) {
        std::lock_guard lock(mutex_);
        auto found = watches_.find(id);
        if (found == watches_.end()) return;
        found->second->active = false;
        watches_.erase(found);
    }

    void on_revision() override {
        if (gone_ || closed_ || options_.link.replies_cut) return;
        // What happens at the store after this moment is not in this delivery: it is still on its
        // way.
        later(executor_, options_.link.delay + options_.link.watch_lag,
              [self = shared_from_this(), upto = backend_->history().revision()] {
                  self->pump(upto);
              });
    }

    void set_link(Link link) {
        options_.link = link;
        on_revision();
    }

    void close() {
        if (closed_ || gone_) return;
        closed_ = true;
        auto open_requests = std::exchange(requests_, {});
        for (auto& [id, request] : open_requests) {
            executor_.post([end = std::move(request.fail), kind = request.kind] {
                end(kind == Kind::kWrite ? unknown_error() : closed_error());
            });
        }
        end_watches();
    }

    void crash() {
        gone_ = true;
        requests_.clear();
        for (auto& [id, watch] : snapshot()) remove_watch(id);
    }

    const Link& link() const { return options_.link; }
    MemoryBackend& backend() { return *backend_; }

 private:
    struct Request {
        Kind kind;
        std::function<void(Error)> fail;
        std::shared_ptr<void> done;  // Callback<T>
    };

    template <class T>
    std::uint64_t open(Kind kind, Callback<T> done) {
        const std::uint64_t id = ++last_request_;
        auto shared = std::make_shared<Callback<T>>(std::move(done));
        requests_[id] = {kind, [shared](Error error) { (*shared)(fail(std::move(error))); },
                         shared};
        return id;
    }

    static void later(Executor& executor, Millis delay, std::function<void()> task) {
        if (delay > Millis{0}) {
            executor.after(delay, std::move(task));
        } else {
            executor.post(std::move(task));
        }
    }

    template <class T>
    void arrive(std::uint64_t id, Kind kind, const CommitFault& fault,
                const std::function<Result<T>(MemoryBackend&)>& serve) {
        const CommitOutcome outcome = fault.outcome;
        const Error lost = kind == Kind::kWrite ? unknown_error() : cut_error();
        if (options_.link.requests_cut || !backend_->running()) return time_out(id, lost);
        if (outcome == CommitOutcome::kUnavailable) return reply<T>(id, kind, fail(cut_error()));
        if (outcome == CommitOutcome::kExhausted) {
            return reply<T>(id, kind, fail(ErrorCode::kExhausted, "the store's disk is full"));
        }
        if (outcome == CommitOutcome::kUnknownNotApplied) return time_out(id, unknown_error());
        if (outcome == CommitOutcome::kUnknownLate) {
            arrive_later<T>(fault.again, serve);
            return time_out(id, unknown_error());
        }
        Result<T> result = serve(*backend_);
        // What was refused is not on its way again.
        if (fault.again > Millis{0} && result) arrive_later<T>(fault.again, serve);
        if (outcome == CommitOutcome::kUnknownApplied) return time_out(id, unknown_error());
        reply<T>(id, kind, std::move(result));
    }

    template <class T>
    void arrive_later(Millis delay, const std::function<Result<T>(MemoryBackend&)>& serve) {
        later(backend_->executor(), delay, [self = shared_from_this(), serve] {
            if (self->backend_->running()) (void)serve(*self->backend_);
        });
    }

    template <class T>
    void reply(std::uint64_t id, Kind kind, Result<T> result) {
        if (gone_) return;
        later(executor_, options_.link.delay,
              [self = shared_from_this(), id, kind, result = std::move(result)]() mutable {
                  self->deliver<T>(id, kind, std::move(result));
              });
    }

    template <class T>
    void deliver(std::uint64_t id, Kind kind, Result<T> result) {
        if (options_.link.replies_cut) {
            return time_out(id, kind == Kind::kWrite ? unknown_error() : cut_error());
        }
        auto request = requests_.extract(id);
        if (request.empty()) return;
        (*std::static_pointer_cast<Callback<T>>(request.mapped().done))(std::move(result));
    }

    void time_out(std::uint64_t id, Error error) {
        if (gone_) return;
        later(executor_, options_.timeout,
              [self = shared_from_this(), id, error = std::move(error)] {
                  self->refuse_now(id, error);
              });
    }

    void refuse(std::uint64_t id, Error error) {
        executor_.post([self = shared_from_this(), id, error = std::move(error)] {
            self->refuse_now(id, error);
        });
    }

    void refuse_now(std::uint64_t id, const Error& error) {
        auto request = requests_.extract(id);
        if (!request.empty()) request.mapped().fail(error);
    }

    void end_watches() {
        for (auto& [id, watch] : snapshot()) {
            executor_.post([watch = watch] {
                if (watch->active.exchange(false)) watch->handler->on_end(closed_error());
            });
        }
    }

    void pump(Revision upto) {
        if (gone_ || closed_ || options_.link.replies_cut || !backend_->running()) return;
        for (auto& [id, watch] : snapshot()) pump(id, *watch, upto);
    }

    void pump(WatchId id, Watch& watch, Revision upto) {
        if (!watch.active || watch.next > upto) return;
        auto changes = backend_->history().changes(watch.prefix, watch.next, upto);
        if (!changes) {
            remove_watch(id);
            return watch.handler->on_end(changes.error());
        }
        watch.next = upto + 1;
        watch.handler->on_batch({std::move(*changes), upto});
    }

    std::map<WatchId, std::shared_ptr<Watch>> snapshot() {
        std::lock_guard lock(mutex_);
        return watches_;
    }

    std::shared_ptr<MemoryBackend> backend_;
    Executor& executor_;
    MemoryOptions options_;
    std::map<std::uint64_t, Request> requests_;  // unanswered, by order of sending
    std::uint64_t last_request_ = 0;
    bool closed_ = false;
    bool gone_ = false;

    std::mutex mutex_;  // guards the two below
    std::map<WatchId, std::shared_ptr<Watch>> watches_;
    WatchId last_watch_ = 0;
};

MemoryStore::MemoryStore(Executor& executor, const Clock& clock, MemoryOptions options)
    : MemoryStore(std::make_shared<MemoryBackend>(executor, clock), executor, options) {}

MemoryStore::MemoryStore(std::shared_ptr<MemoryBackend> backend, Executor& executor,
                         MemoryOptions options)
    : client_(std::make_shared<Client>(backend, executor, options)) {
    backend->add_listener(client_);
}

MemoryStore::~MemoryStore() { close(); }

void MemoryStore::commit(Transaction transaction, Callback<Committed> done) {
    client_->run([transaction = std::move(transaction), done = std::move(done)](Client& client) {
        if (auto bounds = check_bounds(transaction); !bounds) return done(fail(bounds.error()));
        const CommitFault fault = client.next_fault(transaction);
        client.send<Committed>(
            Client::Kind::kWrite,
            [transaction](MemoryBackend& backend) { return backend.commit(transaction); }, done,
            fault);
    });
}

void MemoryStore::read(Range range, Callback<RangeResult> done) {
    client_->run([range = std::move(range), done = std::move(done)](Client& client) {
        client.send<RangeResult>(
            Client::Kind::kRead,
            [range](MemoryBackend& backend) { return backend.history().read(range); }, done);
    });
}

void MemoryStore::current_revision(Callback<Revision> done) {
    client_->run([done = std::move(done)](Client& client) {
        client.send<Revision>(
            Client::Kind::kRead,
            [](MemoryBackend& backend) -> Result<Revision> { return backend.history().revision(); },
            done);
    });
}

WatchId MemoryStore::watch(std::string prefix, Revision from, WatchHandler& handler) {
    return client_->add_watch(std::move(prefix), from, handler);
}

void MemoryStore::unwatch(WatchId watch) { client_->remove_watch(watch); }

void MemoryStore::grant_lease(Millis ttl, Callback<LeaseGrant> done) {
    client_->run([ttl, done = std::move(done)](Client& client) {
        client.send<LeaseGrant>(
            Client::Kind::kWrite,
            [ttl](MemoryBackend& backend) { return backend.grant_lease(ttl); }, done);
    });
}

void MemoryStore::renew_lease(LeaseId lease, Callback<LeaseGrant> done) {
    client_->run([lease, done = std::move(done)](Client& client) {
        client.send<LeaseGrant>(
            Client::Kind::kWrite,
            [lease](MemoryBackend& backend) { return backend.renew_lease(lease); }, done);
    });
}

void MemoryStore::revoke_lease(LeaseId lease, Callback<bool> done) {
    client_->run([lease, done = std::move(done)](Client& client) {
        client.send<bool>(
            Client::Kind::kWrite,
            [lease](MemoryBackend& backend) { return backend.revoke_lease(lease); }, done);
    });
}

void MemoryStore::compact(Revision revision, Callback<Revision> done) {
    client_->run([revision, done = std::move(done)](Client& client) {
        client.send<Revision>(
            Client::Kind::kWrite,
            [revision](MemoryBackend& backend) { return backend.compact(revision); }, done);
    });
}

void MemoryStore::set_link(Link link) { client_->set_link(link); }
const Link& MemoryStore::link() const { return client_->link(); }
void MemoryStore::close() { client_->close(); }
void MemoryStore::crash() { client_->crash(); }
MemoryBackend& MemoryStore::backend() { return client_->backend(); }

}  // namespace blixard::store
