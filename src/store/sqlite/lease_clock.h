// When each lease ends. Deadlines are counted on the monotonic clock from the grant, the last
// renewal or the opening of the store, whichever was last: a lease never ends early. Thread: the
// executor's.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "base/time.h"
#include "store/store.h"

namespace blixard::store {

class LeaseClock : public std::enable_shared_from_this<LeaseClock> {
 public:
    // `ended` is called when a lease's time is over; it is asked again every second until remove().
    LeaseClock(Executor& executor, const Clock& clock, std::function<void(LeaseId)> ended)
        : executor_(executor), clock_(clock), ended_(std::move(ended)) {}

    void add(LeaseId lease, Millis ttl);
    Result<LeaseGrant> renew(LeaseId lease);  // kNotFound: it has ended
    void remove(LeaseId lease);

 private:
    struct Lease {
        Millis ttl;
        MonoTime deadline;
        bool ending = false;
    };
    void look_at(LeaseId lease);
    void look_again(LeaseId lease, Millis delay);

    Executor& executor_;
    const Clock& clock_;
    const std::function<void(LeaseId)> ended_;
    std::map<LeaseId, Lease> leases_;
};

}  // namespace blixard::store
