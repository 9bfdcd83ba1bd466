#include "store/sqlite/lease_clock.h"

namespace blixard::store {
namespace {
constexpr Millis kRetry = seconds(1);  // when the disk was full, or the writer's queue
}

void LeaseClock::add(LeaseId id, Millis ttl) {
    leases_[id] = {ttl, clock_.mono() + ttl};
    look_again(id, ttl);
}

Result<LeaseGrant> LeaseClock::renew(LeaseId id) {
    auto found = leases_.find(id);
    if (found == leases_.end() || found->second.ending) {
        return fail(ErrorCode::kNotFound,
                    "lease " + std::to_string(id) + " does not exist, or has ended");
    }
    found->second.deadline = clock_.mono() + found->second.ttl;
    return LeaseGrant{id, found->second.ttl};
}

void LeaseClock::remove(LeaseId id) { leases_.erase(id); }

void LeaseClock::look_at(LeaseId id) {
    auto found = leases_.find(id);
    if (found == leases_.end()) return;
    const Millis left = found->second.deadline - clock_.mono();
    if (left > Millis{0}) return look_again(id, left);
    found->second.ending = true;
    look_again(id, kRetry);
    ended_(id);
}

void LeaseClock::look_again(LeaseId id, Millis delay) {
    executor_.after(delay, [weak = weak_from_this(), id] {
        if (auto self = weak.lock()) self->look_at(id);
    });
}

}  // namespace blixard::store
