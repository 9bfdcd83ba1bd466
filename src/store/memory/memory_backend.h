// The shared half of the memory store: what a cluster of etcd servers is to its clients. One thread
// (the simulation's loop); every client's executor must run on that same thread. No real time, no
// real randomness: same calls, same history.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/memory/history.h"
#include "store/store.h"

namespace blixard::store {

class MemoryBackend {
 public:
    // `executor` and `clock` time the leases; both must outlive the backend.
    MemoryBackend(Executor& executor, const Clock& clock) : executor_(executor), clock_(clock) {}
    ~MemoryBackend();
    MemoryBackend(const MemoryBackend&) = delete;
    MemoryBackend& operator=(const MemoryBackend&) = delete;

    // The server's side of the port; each happens at once.
    Result<Committed> commit(const Transaction& transaction);
    Result<LeaseGrant> grant_lease(Millis ttl);
    Result<LeaseGrant> renew_lease(LeaseId lease);
    Result<bool> revoke_lease(LeaseId lease);
    Result<Revision> compact(Revision revision);
    const History& history() const { return history_; }

    // Faults. A stopped backend answers nobody and ends no lease (a cluster without a majority).
    // start() and change_leader() count every lease's time anew, as a new etcd leader does.
    void stop();
    void start();
    void change_leader();
    // Full: transactions that put and new leases are refused with kExhausted; deletes and renewals
    // go through.
    void set_disk_full(bool full) { disk_full_ = full; }
    bool running() const { return running_; }

    // For checkers: when the lease will end, if it is not renewed. kNotFound: it has ended.
    Result<MonoTime> lease_deadline(LeaseId lease) const;

    // Clients are told of new revisions through this; the backend does not own them.
    class Listener {
     public:
        virtual ~Listener() = default;
        virtual void on_revision() = 0;
    };
    void add_listener(std::weak_ptr<Listener> listener);

    Executor& executor() { return executor_; }
    const Clock& clock() const { return clock_; }

 private:
    struct Lease {
        Millis ttl;
        MonoTime deadline;
        TimerId timer = 0;
        std::set<std::string> keys;
    };

    void move_leases(const Transaction& transaction);
    void detach(const std::string& key);
    void restart(LeaseId id, Lease& lease);
    void look_at(LeaseId id);
    void end_lease(LeaseId id);
    void notify();

    Executor& executor_;
    const Clock& clock_;
    History history_;
    std::map<LeaseId, Lease> leases_;
    std::map<std::string, LeaseId> lease_of_;
    LeaseId last_lease_ = 0;
    std::vector<std::weak_ptr<Listener>> listeners_;
    bool running_ = true;
    bool disk_full_ = false;
};

}  // namespace blixard::store
