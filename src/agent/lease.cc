#include "agent/lease.h"

#include "base/mutant.h"
#include "model/documents.h"
#include "model/keys.h"

namespace blixard::agent {

HostLease::HostLease(Deps deps, std::string node, std::string run_uid, LeaseSettings settings,
                     std::function<store::Revision()> key_seen, std::function<void(MonoTime)> feed,
                     std::function<void()> changed, std::function<void()> held_again)
    : store_(deps.store),
      executor_(deps.executor),
      clock_(deps.clock),
      log_(deps.log),
      node_(std::move(node)),
      run_uid_(std::move(run_uid)),
      settings_(settings),
      key_seen_(std::move(key_seen)),
      feed_(std::move(feed)),
      changed_(std::move(changed)),
      held_again_(std::move(held_again)) {}

void HostLease::start() { tick(); }

void HostLease::tick() {
    if (released_) return;
    if (!asking_) {
        if (lease_ == 0)
            grant();
        else
            renew();
    }
    tick_later(settings_.renew_every());
}

void HostLease::tick_later(Millis delay) {
    timer_ = executor_.after(delay, [this, weak = std::weak_ptr(alive_)] {
        if (!weak.expired()) tick();
    });
}

LeaseState HostLease::state() const {
    return {.id = lease_,
            .key_revision = key_revision_,
            .deadline = deadline_,
            .granted_at = granted_at_,
            .tick = timer_};
}

void HostLease::resume(const LeaseState& state) {
    lease_ = state.id;
    key_revision_ = state.key_revision;
    deadline_ = state.deadline;
    granted_at_ = state.granted_at;
    tick_later(Millis{0});
}

void HostLease::grant() {
    asking_ = true;
    const MonoTime sent_at = clock_.mono();
    store_.grant_lease(settings_.ttl, [this, sent_at, weak = std::weak_ptr(alive_)](
                                          Result<store::LeaseGrant> granted) {
        if (weak.expired()) return;
        asking_ = false;
        if (!granted) {
            log_.warn("no lease", {{"node", node_}, {"error", describe(granted.error())}});
            return;
        }
        lease_ = granted->id;
        granted_at_ = sent_at;
        if (mutant(MutantId::kWorkBeforeLease)) extend(sent_at);
        put_key();
    });
}

void HostLease::put_key() {
    if (lease_ == 0 || released_) return;
    asking_ = true;
    const model::NodeLease value{.uid = run_uid_,
                                 .lease = lease_,
                                 .ttl_ms = settings_.ttl.count,
                                 .since = to_rfc3339(clock_.wall())};
    store::Transaction put;
    // What a former run of this daemon has sent may still be on its way: had it the last word, the
    // key would hang on a lease that nobody renews, and go while this host's VMs run.
    const std::string key = model::node_key(node_, "lease");
    if (!mutant(MutantId::kLeaseOverwritten)) put.compares.push_back({key, key_seen_()});
    put.puts.push_back({.key = key, .value = model::to_json(value), .lease = lease_});
    store_.commit(std::move(put),
                  [this, weak = std::weak_ptr(alive_)](const Result<store::Committed>& committed) {
                      if (!weak.expired()) key_put(committed);
                  });
}

void HostLease::key_put(const Result<store::Committed>& committed) {
    asking_ = false;
    if (committed && committed->succeeded) {
        key_revision_ = committed->revision;
        // Only now: until the key hangs on this lease, others see the host live as long as the
        // lease of our last run, which may end at any moment.
        extend(granted_at_);
        return changed_();
    }
    // Tried again with the next tick: where it was refused, the view will show by whom; where
    // nobody knows whether it was written, writing it again says the same.
    key_revision_ = 0;
    if (!committed && committed.error().code == ErrorCode::kNotFound) lease_ = 0;
    log_.warn("lease key not written",
              {{"node", node_},
               {"error", committed ? "it was written meanwhile" : describe(committed.error())}});
}

void HostLease::renew() {
    if (key_revision_ == 0) return put_key();
    asking_ = true;
    const MonoTime sent_at = clock_.mono();
    store_.renew_lease(
        lease_, [this, sent_at, weak = std::weak_ptr(alive_)](Result<store::LeaseGrant> granted) {
            if (weak.expired()) return;
            asking_ = false;
            if (granted) return extend(sent_at);
            log_.warn("lease not renewed", {{"node", node_}, {"error", describe(granted.error())}});
            if (granted.error().code != ErrorCode::kNotFound) return;
            if (mutant(MutantId::kLeaseNotRegained)) return;
            lease_ = 0;
            key_revision_ = 0;
            grant();
        });
}

void HostLease::extend(MonoTime sent_at) {
    if (mutant(MutantId::kDeadlineFromAnswer)) sent_at = clock_.mono();
    MonoTime deadline = sent_at + settings_.ttl - settings_.margin();
    if (mutant(MutantId::kFenceLate)) deadline = sent_at + settings_.ttl + seconds(1);
    if (deadline <= deadline_) return;
    const bool was_held = held();
    deadline_ = deadline;
    feed_(deadline_);
    if (!was_held && held() && !mutant(MutantId::kHeldAgainUnsaid)) held_again_();
}

void HostLease::key_is_gone(store::Revision seen_at) {
    if (key_revision_ == 0 || seen_at <= key_revision_ || asking_) return;
    key_revision_ = 0;
    put_key();
}

void HostLease::release(std::function<void()> done) {
    released_ = true;
    deadline_ = MonoTime{};
    if (lease_ == 0) return done();
    store_.revoke_lease(lease_, [done = std::move(done)](const Result<bool>&) { done(); });
}

}  // namespace blixard::agent
