// Which waiting transactions go into one etcd transaction together. Independent ones only: no
// member may write what another writes or compares, because etcd looks at all compares before it
// writes anything, and may not overtake an earlier one with which it conflicts. Each keeps its own
// compares (nested transactions), so that one writer's failed compare never fails its neighbours.
// Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "store/store.h"

namespace blixard::store {

inline constexpr std::size_t kCombinedMost =
    64;  // transactions; etcd counts them against its 128 operations, so that
inline constexpr std::size_t kCombinedOperations =
    kMaxOperations - kCombinedMost;                 // each may have this many
inline constexpr std::size_t kWaitingMost = 65536;  // seconds of work; more waiting helps nobody

struct Waiting {
    Transaction transaction;
    Callback<Committed> done;
    MonoTime deadline;   // when it is given up, if it was not sent by then
    bool alone = false;  // was part of a group that failed as a whole
};
using WaitingPtr = std::shared_ptr<Waiting>;
using WaitingGroup = std::vector<WaitingPtr>;

class Combiner {
 public:
    bool full() const { return waiting_.size() >= kWaitingMost; }
    bool empty() const { return waiting_.empty(); }
    void add(WaitingPtr waiting);
    // The group is in flight no more, and is tried again one by one, before all that waits.
    void add_again(const WaitingGroup& group);

    // The next group to send; empty if there is none. Its keys are claimed until finished().
    WaitingGroup next();
    void finished(const WaitingGroup& group);

    // Takes out what has waited beyond its deadline, as far as it stands in front.
    WaitingGroup expired(MonoTime now);
    WaitingGroup take_all();

 private:
    // Keys that are written or compared by somebody. Two whose hashes are the same wait for each other
    // without need, and that is all.
    class Claims {
     public:
        bool conflicts(const Transaction& transaction) const;
        void add(const Transaction& transaction);
        void remove(const Transaction& transaction);

     private:
        void count(std::string_view key, bool write, int by);
        struct Count {
            int writes = 0;
            int compares = 0;
        };
        std::unordered_map<std::size_t, Count> keys_;  // by the key's hash
    };

    std::deque<WaitingPtr> waiting_;
    Claims in_flight_;
};

}  // namespace blixard::store
