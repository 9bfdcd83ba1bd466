// This host's lease in the store: proof to the others that it lives, and to itself that it may run
// fenced VMs.
//
// The deadline is counted from the moment a renewal was sent, on this host's own clock, and lies a
// margin before the earliest moment at which the store can end the lease. See docs/FENCING.md for
// the argument.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/state.h"
#include "base/log.h"
#include "base/mutant.h"
#include "base/time.h"
#include "store/store.h"

namespace blixard::agent {

struct LeaseSettings {
    Millis ttl = seconds(4);

    Millis renew_every() const { return ttl / 4; }
    Millis margin() const {
        return ttl / (mutant(MutantId::kMarginHalved) ? 16 : 8);
    }  // for killing, and for clocks that run at different speeds
};

class HostLease {
 public:
    struct Deps {
        store::Store& store;
        Executor& executor;
        const Clock& clock;
        Log& log;
    };
    // `key_seen`: the revision of nodes/<node>/lease in the view now, whoever wrote it; 0: absent.
    // `feed` gets every new deadline (the watchdog's); `changed` is called when the lease's key was
    // written anew; `held_again` when held() has become true: what waits for it goes on.
    HostLease(Deps deps, std::string node, std::string run_uid, LeaseSettings settings,
              std::function<store::Revision()> key_seen, std::function<void(MonoTime)> feed,
              std::function<void()> changed, std::function<void()> held_again);

    void start();
    // For a record of inputs, at a moment when nothing is asked: see state.h. resume() is start()
    // from there.
    LeaseState state() const;
    void resume(const LeaseState& state);
    // Gives the lease back, so that nobody has to wait for its end. The caller has stopped all
    // fenced VMs, or has none.
    void release(std::function<void()> done);

    bool held() const { return clock_.mono() < deadline_; }
    MonoTime deadline() const { return deadline_; }
    store::LeaseId id() const { return lease_; }
    // The revision at which nodes/<node>/lease was put by this run; 0: not yet. What a writer on
    // behalf of this host compares.
    store::Revision key_revision() const { return key_revision_; }

    // The key was seen to be gone although the lease should live (an operator removed it): write it
    // again.
    void key_is_gone(store::Revision seen_at);

 private:
    void tick();
    void tick_later(Millis delay);
    void grant();
    void renew();
    void put_key();
    void key_put(const Result<store::Committed>& committed);
    void extend(MonoTime sent_at);

    store::Store& store_;
    Executor& executor_;
    const Clock& clock_;
    Log& log_;
    const std::string node_;
    const std::string run_uid_;
    const LeaseSettings settings_;
    const std::function<store::Revision()> key_seen_;
    const std::function<void(MonoTime)> feed_;
    const std::function<void()> changed_;
    const std::function<void()> held_again_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    store::LeaseId lease_ = 0;
    store::Revision key_revision_ = 0;
    MonoTime deadline_{};
    MonoTime granted_at_{};  // when the grant of lease_ was sent
    TimerId timer_ = 0;
    bool asking_ = false;  // a grant, renewal or put is under way
    bool released_ = false;
};

}  // namespace blixard::agent
