// Which waiting transactions go into one etcd transaction together. Independent ones only: no
// member may write what another writes or compares, because etcd looks at all compares before it
// writes anything, and may not overtake an earlier one with which it conflicts. Each keeps its own
// compares (nested transactions), so that one writer's failed compare never fails its neighbours.
//
// etcd bounds the operations of each transaction, and those of one nested in it by what is left of
// that bound. So they are nested twice: a few bundles, each of many small ones or of one that is
// large. Pure; one thread at a time.
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

inline constexpr std::size_t kBundlesMost = 8;   // in one of etcd's
inline constexpr std::size_t kBundledMost = 56;  // transactions in one bundle, if they are small:
inline constexpr std::size_t kSmallOperations = kMaxOperations - kBundlesMost - kBundledMost;
// Larger ones go alone.
inline constexpr std::size_t kJoinedOperations = kMaxOperations - kBundlesMost;
// One that fails as a whole is tried again in so many parts, and each of those that fails, until
// the one that is to blame stands alone.
inline constexpr std::size_t kPartsOfFailed = 8;
inline constexpr std::size_t kWaitingMost = 65536;  // seconds of work; more waiting helps nobody

struct Waiting {
    Transaction transaction;
    Callback<Committed> done;
    MonoTime deadline;                     // when it is given up, if it was not sent by then
    std::size_t together_most = SIZE_MAX;  // may share one of etcd's with so many, itself included
};
using WaitingPtr = std::shared_ptr<Waiting>;
using WaitingList = std::vector<WaitingPtr>;
using WaitingGroup = std::vector<WaitingList>;  // bundles

std::size_t size_of(const WaitingGroup& group);  // transactions
WaitingList flat(const WaitingGroup& group);  // in the order in which they waited, bundle by bundle

class Combiner {
 public:
    bool full() const { return waiting_.size() >= kWaitingMost; }
    bool empty() const { return waiting_.empty(); }
    void add(WaitingPtr waiting);
    // The group is in flight no more, and is tried again in parts, before all that waits.
    void add_again(const WaitingGroup& group);

    // The next group to send; empty if there is none. Its keys are claimed until finished().
    WaitingGroup next();
    void finished(const WaitingGroup& group);

    // Takes out what has waited beyond its deadline, as far as it stands in front.
    WaitingList expired(MonoTime now);
    WaitingList take_all();

 private:
    // Keys that are written or compared by somebody. Two whose hashes are the same wait for each
    // other without need, and that is all.
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
