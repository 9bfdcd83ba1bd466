// Who watches what, and how far each watch has come. A watch is either live, and gets each
// committed group as it is published, or behind, and is fed from the log until it has caught up
// (the two groups of watchers of etcd's mvcc).
//
// Thread: the executor's, but add and remove may be called from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "store/sqlite/ledger.h"
#include "store/store.h"

namespace blixard::store {

class WatchHub {
 public:
    // A watch that wants the log from `next` on; the answer goes to `caught_up`.
    using ReadLog = std::function<void(WatchId watch, std::string prefix, Revision next)>;

    WatchHub(Revision published, ReadLog read_log)
        : published_(published), read_log_(std::move(read_log)) {}

    WatchId add(std::string prefix, Revision from, WatchHandler& handler);
    void remove(WatchId watch);

    // Executor: begins to feed a watch that was added.
    void start(WatchId watch);
    // Executor: a group was committed; `changes` are all of it, up to `revision`.
    void publish(const std::vector<Change>& changes, Revision revision);
    // Executor: what the log said for a watch that was behind.
    void caught_up(WatchId watch, Result<LogPart> part);
    // Executor: ends all watches.
    void end_all(const Error& error);

 private:
    struct Watch {
        std::string prefix;
        Revision next = 1;  // all before has been delivered
        WatchHandler* handler = nullptr;
        bool live = false;
    };
    using WatchPtr = std::shared_ptr<Watch>;

    WatchPtr find(WatchId id);
    std::map<WatchId, WatchPtr> all();
    void advance(WatchId id, Watch& watch);
    void end(WatchId id, Watch& watch, const Error& error);

    Revision published_;  // executor
    const ReadLog read_log_;

    std::mutex mutex_;  // guards the two below
    std::map<WatchId, WatchPtr> watches_;
    WatchId last_ = 0;
};

}  // namespace blixard::store
