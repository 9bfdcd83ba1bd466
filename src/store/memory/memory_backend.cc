#include "store/memory/memory_backend.h"

namespace blixard::store {
namespace {

Error no_lease(LeaseId lease) {
    return {ErrorCode::kNotFound,
            "lease " + std::to_string(lease) + " does not exist, or has ended"};
}

}  // namespace

MemoryBackend::~MemoryBackend() {
    for (auto& [id, lease] : leases_) executor_.cancel(lease.timer);
}

Result<Committed> MemoryBackend::commit(const Transaction& transaction) {
    if (disk_full_ && !transaction.puts.empty()) {
        return fail(ErrorCode::kExhausted, "the store's disk is full", "make room on its disk");
    }
    for (const Put& put : transaction.puts) {
        if (put.lease && !leases_.contains(put.lease)) return fail(no_lease(put.lease));
    }
    const Revision before = history_.revision();
    const Committed committed = history_.apply(transaction);
    if (committed.succeeded) move_leases(transaction);
    if (history_.revision() != before) notify();
    return committed;
}

void MemoryBackend::move_leases(const Transaction& transaction) {
    for (const Put& put : transaction.puts) {
        detach(put.key);
        if (!put.lease) continue;
        lease_of_[put.key] = put.lease;
        leases_.at(put.lease).keys.insert(put.key);
    }
    for (const std::string& key : transaction.deletes) detach(key);
}

void MemoryBackend::detach(const std::string& key) {
    auto found = lease_of_.find(key);
    if (found == lease_of_.end()) return;
    if (auto lease = leases_.find(found->second); lease != leases_.end()) {
        lease->second.keys.erase(key);
    }
    lease_of_.erase(found);
}

Result<LeaseGrant> MemoryBackend::grant_lease(Millis ttl) {
    if (ttl <= Millis{0}) return fail(ErrorCode::kInvalid, "a lease needs a time to live above 0");
    if (disk_full_) return fail(ErrorCode::kExhausted, "the store's disk is full");
    const LeaseId id = ++last_lease_;
    Lease& lease = leases_[id];
    lease.ttl = ttl;
    restart(id, lease);
    return LeaseGrant{id, ttl};
}

Result<LeaseGrant> MemoryBackend::renew_lease(LeaseId id) {
    auto found = leases_.find(id);
    if (found == leases_.end()) return fail(no_lease(id));
    restart(id, found->second);
    return LeaseGrant{id, found->second.ttl};
}

Result<bool> MemoryBackend::revoke_lease(LeaseId id) {
    if (!leases_.contains(id)) return fail(no_lease(id));
    end_lease(id);
    return true;
}

Result<Revision> MemoryBackend::compact(Revision revision) {
    RETURN_IF_ERROR(history_.compact(revision));
    return revision;
}

Result<MonoTime> MemoryBackend::lease_deadline(LeaseId id) const {
    auto found = leases_.find(id);
    if (found == leases_.end()) return fail(no_lease(id));
    return found->second.deadline;
}

void MemoryBackend::restart(LeaseId id, Lease& lease) {
    lease.deadline = clock_.mono() + lease.ttl;
    executor_.cancel(lease.timer);
    lease.timer = executor_.after(lease.ttl, [this, id] { look_at(id); });
}

void MemoryBackend::look_at(LeaseId id) {
    auto found = leases_.find(id);
    if (found == leases_.end()) return;
    Lease& lease = found->second;
    lease.timer = 0;
    const Millis left = lease.deadline - clock_.mono();
    if (left > Millis{0}) {
        lease.timer = executor_.after(left, [this, id] { look_at(id); });
    } else if (running_) {
        end_lease(id);
    }
}

void MemoryBackend::end_lease(LeaseId id) {
    auto node = leases_.extract(id);
    executor_.cancel(node.mapped().timer);
    Transaction transaction;
    for (const std::string& key : node.mapped().keys) {
        transaction.deletes.push_back(key);
        lease_of_.erase(key);
    }
    if (transaction.empty()) return;
    history_.apply(transaction);
    notify();
}

void MemoryBackend::stop() { running_ = false; }

void MemoryBackend::start() {
    running_ = true;
    change_leader();
    notify();
}

void MemoryBackend::change_leader() {
    for (auto& [id, lease] : leases_) restart(id, lease);
}

void MemoryBackend::add_listener(std::weak_ptr<Listener> listener) {
    listeners_.push_back(std::move(listener));
}

void MemoryBackend::notify() {
    std::erase_if(listeners_, [](const auto& listener) { return listener.expired(); });
    const auto listeners = listeners_;
    for (const auto& listener : listeners) {
        if (auto alive = listener.lock()) alive->on_revision();
    }
}

}  // namespace blixard::store
