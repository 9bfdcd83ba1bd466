// Asks the store now and then how far it is, so that this daemon knows how old its state may be
// even while nothing changes. Executor thread.
#pragma once

#include "api/crossing.h"
#include "base/time.h"
#include "store/store.h"

namespace blixard::api {

class Pulse {
 public:
    Pulse(store::Store& store, Crossing& crossing, const Clock& clock)
        : store_(store), crossing_(crossing), clock_(clock) {}

    void start();

    // How old the state may be at most; measured from the last time the view had all that the
    // store had.
    Millis age() const { return clock_.mono() - fresh_at_; }
    bool stale() const { return age() > kStaleAfter; }

    static constexpr Millis kEvery = seconds(3);
    static constexpr Millis kStaleAfter = seconds(10);  // three beats that brought nothing

 private:
    void beat();

    store::Store& store_;
    Crossing& crossing_;
    const Clock& clock_;
    MonoTime fresh_at_{};
    std::uint64_t beat_ = 0;
};

}  // namespace blixard::api
