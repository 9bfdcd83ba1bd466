// The one thread that writes, with group commit: all jobs that wait are done in one database
// transaction and made durable by one fsync, then their answers are posted together. A group that
// fails as a whole (a full disk) is split, so that a job that does not fit does not take its
// neighbours with it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"
#include "store/sqlite/ledger.h"

namespace blixard::store {

struct WriteJob {
    // Writer thread, inside the database transaction; appends what it changed. An error is the
    // database's and undoes the group; the job's own refusals are kept in the job. May run a second
    // time, when the group was split.
    std::function<Status(Ledger&, std::vector<Change>&)> perform;
    // Executor, once: whether what was performed is durable.
    std::function<void(Status)> finish;
};

class Writer {
 public:
    // Executor: everything that a group changed, before its jobs are finished.
    using Publish = std::function<void(const std::vector<Change>&, Revision)>;

    Writer(Ledger ledger, Executor& executor, Publish publish);
    ~Writer();  // finishes the group at work; what waits is finished with kUnavailable

    // Any thread. A job that finds the queue full is finished with kExhausted.
    void submit(WriteJob job);
    // Any thread: the newest durable revision.
    Revision revision() const { return revision_.load(std::memory_order_acquire); }

 private:
    using Group = std::vector<WriteJob>;

    void run();
    Group next_group();
    void write(Group group);
    Status attempt(Group& group, std::size_t begin, std::size_t end, std::vector<Change>& changes);
    void post_finished(Group group, std::vector<Change> changes);
    void post_failed(Group group, const Error& error);
    void tidy();

    Ledger ledger_;  // writer thread
    bool sweeping_ = true;
    Executor& executor_;
    const Publish publish_;
    std::atomic<Revision> revision_;

    std::mutex mutex_;  // guards the two below
    std::condition_variable woken_;
    std::deque<WriteJob> queue_;
    bool stopping_ = false;

    std::thread thread_;  // last: starts when all else is there
};

}  // namespace blixard::store
