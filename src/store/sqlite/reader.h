// The thread that reads: ranges and the log, on a connection of its own, so that a long read delays
// no write (WAL).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "store/sqlite/ledger.h"

namespace blixard::store {

class Reader {
 public:
    using Job = std::function<void(Ledger&)>;  // reader thread

    explicit Reader(Ledger ledger);
    ~Reader();  // finishes what waits

    // Any thread. False: too many wait; the job was not taken.
    bool submit(Job job);

 private:
    void run();

    Ledger ledger_;     // reader thread
    std::mutex mutex_;  // guards the three below
    std::condition_variable woken_;
    std::deque<Job> queue_;
    bool stopping_ = false;
    std::thread thread_;  // last: starts when all else is there
};

}  // namespace blixard::store
