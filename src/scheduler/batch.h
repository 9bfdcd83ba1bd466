// Many pending VMs decided one after the other on one picture, so that two decisions never count
// the same room, and a big VM is not starved by small ones.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/place.h"
#include "scheduler/policy.h"
#include "scheduler/queue.h"

namespace blixard::scheduler {

// A host is kept free for a VM that has waited long: what leaves it is not given to VMs whose turn
// comes later.
struct Reservation {
    std::string vm;
    std::string host;

    bool operator==(const Reservation&) const = default;
};

// The reservations that hold, from batch to batch. At most one host in eight, and always one, may
// be reserved.
class Reservations {
 public:
    // Drops those whose VM does not wait any more, or whose host could not hold it any more, and
    // sees to it that `cluster` (which may have been made anew) knows the others. True if one was
    // dropped: there may be room for others.
    bool refresh(Cluster& cluster, const Queue& queue, const Policy& policy);
    // False: refresh() would drop one.
    bool all_wait(const Queue& queue) const;

    // The host that could hold the VM and lacks the smallest part of it now, if one may be
    // reserved.
    void reserve_for(const Request& request, Cluster& cluster, const Policy& policy);
    void drop(const std::string& vm, Cluster& cluster);
    void clear() { held_.clear(); }
    // As they were held elsewhere, or before; refresh() drops those that hold no more.
    void resume(std::vector<Reservation> held) { held_ = std::move(held); }

    const std::vector<Reservation>& held() const { return held_; }

 private:
    std::vector<Reservation> held_;
};

// Decides for the VMs of a queue in their turn. All that it refers to must outlive it.
class Batch {
 public:
    Batch(Cluster& cluster, Queue& queue, Reservations& reservations, Placer& placer,
          const Policy& policy, MonoTime now)
        : cluster_(cluster),
          queue_(queue),
          reservations_(reservations),
          placer_(placer),
          policy_(policy),
          now_(now) {}

    // The decision for queue.next(), which must be there. A VM that finds a place is counted in the
    // cluster and leaves the queue. One whose place needs evictions is counted there at once, over
    // what is free, and stays in the queue. One that fits nowhere and has waited for
    // policy.reserve_after gets a host reserved. Valid until the next call.
    const Decision& decide(Remedies remedies = Remedies::kFound);

 private:
    Cluster& cluster_;
    Queue& queue_;
    Reservations& reservations_;
    Placer& placer_;
    const Policy& policy_;
    const MonoTime now_;
    Decision known_;  // an answer that was given before, to another VM
};

}  // namespace blixard::scheduler
