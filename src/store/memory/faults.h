// What can be asked to go wrong between a client and the memory store.
#pragma once

#include "base/time.h"
#include "store/store.h"

namespace blixard::store {

// What becomes of one transaction.
enum class CommitOutcome : std::uint8_t {
    kApply,              // nothing special
    kUnavailable,        // refused, did not happen
    kUnknownApplied,     // the client learns kUnknownOutcome; it happened
    kUnknownNotApplied,  // the client learns kUnknownOutcome; it did not happen
    kUnknownLate,        // the client learns kUnknownOutcome; it happens `again` later
    kExhausted,          // disk full
};

struct CommitFault {
    CommitOutcome outcome = CommitOutcome::kApply;
    Millis delay{};  // on top of the link's delay, on the way to the store
    Millis again{};  // above 0: what is applied arrives a second time (kUnknownLate: for the first
                     // time), so much later; nobody is told
};

// Asked once for each transaction, on the client's executor, in the order of sending.
class FaultPlan {
 public:
    virtual ~FaultPlan() = default;
    virtual CommitFault on_commit(const Transaction& transaction) = 0;
};

// The state of one client's connection, changed at will while it is used.
struct Link {
    // Nothing reaches the store: what is asked is refused; what is on its way is lost.
    bool requests_cut = false;
    bool replies_cut =
        false;           // nothing comes back: answers are lost, watches fall silent until it heals
    Millis delay{};      // each way
    Millis watch_lag{};  // what a watch delivers, on top of that: it has a stream of its own
};

}  // namespace blixard::store
