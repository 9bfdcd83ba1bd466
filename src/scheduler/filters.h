// The filters: may this VM lie on this host at all? Each "no" has its reason and by how much.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/failures.h"
#include "scheduler/policy.h"
#include "scheduler/rules.h"

namespace blixard::scheduler {

// One request made ready to be asked about many hosts. Keeps references; the cluster must not
// change meanwhile. A request without rules, labels or features costs no heap allocation.
class Filters {
 public:
    Filters(const Cluster& cluster, const Request& request, const Policy& policy,
            Strategy strategy);

    const Ask& ask() const { return ask_; }
    const Rules& rules() const { return rules_; }
    const Request& request() const { return request_; }
    Strategy strategy() const { return strategy_; }
    NameId accelerator() const { return accelerator_; }  // kNoName: any, or one that no host has

    // The project's quota refuses the VM wherever it goes.
    const std::optional<Failure>& quota() const { return quota_; }

    // The host that the VM asks for, if there is none of that name; else empty.
    std::string_view unknown_host() const;

    // True if two hosts of one shape (free room, capacity, features, price) may still differ: the
    // request looks at names, labels, zones or neighbours.
    bool looks_at_hosts() const { return looks_at_hosts_; }
    // Everything but the room: state, names, labels, zone, features, price, rules.
    bool admits(HostIndex host) const {
        return admits_kind(host) && (!looks_at_hosts_ || admits_host(host));
    }
    // The part that hosts of one shape have in common: features, accelerator, price.
    bool admits_kind(HostIndex host) const;
    // The part that can differ between hosts of one shape: names, labels, zone, rules.
    bool admits_host(HostIndex host) const;

    // Every failure of this host, in the order of the filters; none: the VM fits there. `failures`
    // is emptied first.
    void check(HostIndex host, Words wanted, std::vector<Failure>& failures) const;

 private:
    bool is_reserved(const HostSlot& host) const;
    bool zone_admits(const HostSlot& host) const;
    bool is_pinned_elsewhere(const HostSlot& host, const VolumePin** pin) const;
    void check_state(const HostSlot& host, Failures& failures) const;
    void check_names(const HostSlot& host, Failures& failures) const;
    void check_kind(const HostSlot& host, Failures& failures) const;
    void check_room(const HostSlot& host, Failures& failures) const;
    void check_devices(const HostSlot& host, Failures& failures) const;
    void check_gpus(const HostSlot& host, Failures& failures) const;

    const Cluster& cluster_;
    const Request& request_;
    Strategy strategy_;
    Ask ask_;
    Rules rules_;
    std::vector<NameId> features_;
    std::vector<LabelId> labels_;
    NameId accelerator_ = kNoName;
    std::optional<Failure> quota_;
    bool looks_at_hosts_ = false;
};

// What the VM costs there per hour: the price of the host times the larger of its shares of CPU and
// memory.
double price_per_hour(const Ask& ask, const HostSlot& host);

// The project's quota against what it uses now; empty if the VM is within.
std::optional<Failure> quota_failure(const Cluster& cluster, const Request& request,
                                     const Policy& policy);

}  // namespace blixard::scheduler
