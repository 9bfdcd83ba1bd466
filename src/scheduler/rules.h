// Affinity and anti-affinity of one request against the VMs that have a place, counted once and
// then asked per host.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "scheduler/cluster.h"
#include "scheduler/decision.h"
#include "scheduler/failures.h"

namespace blixard::scheduler {

// True if the VM is one of those that the selector speaks of.
bool matches(const Selector& target, const Request& vm);
// "web-1" or "role=db,tier=1".
std::string describe(const Selector& target);

class Rules {
 public:
    // Keeps references: the cluster and the request must outlive it and not change.
    Rules(const Cluster& cluster, const Request& request);

    bool empty() const { return counted_.empty() && forbidden_.empty(); }
    bool any_soft() const { return any_soft_; }

    // True if no hard rule refuses the host: the request's own, and those of VMs that have a place.
    bool admits(HostIndex host) const;
    // Adds one failure for each hard rule that refuses the host.
    void check(HostIndex host, Failures& failures) const;
    // Points lost to broken soft rules, >= 0. `parts` may be null; gets negative points.
    double penalty(HostIndex host, std::vector<ScorePart>* parts) const;

 private:
    struct DomainCount {
        std::uint32_t domain;
        std::int32_t count;
    };
    struct Counted {
        const Affinity* rule;
        NameId domain_key;                 // kNoName: the domain is the host itself
        std::vector<DomainCount> domains;  // sorted
        std::int32_t total = 0;
        bool matches_itself = false;
    };
    // "A VM in this domain has a rule that would break": the rules of others.
    struct Forbidden {
        NameId domain_key;
        std::uint32_t domain;
        VmIndex owner;
    };

    class OthersRule;

    NameId domain_key(const std::string& domain) const;
    std::uint32_t domain_of(HostIndex host, NameId key) const;
    static std::int32_t count_in(const Counted& counted, std::uint32_t domain);
    void count(const Affinity& rule);
    void forbid();
    bool covered(const Affinity& rule, const Request& owner) const;
    std::int32_t matching_in(const Selector& target, NameId key, std::uint32_t domain) const;
    template <class Visit>
    void each_match(const Selector& target, const Visit& visit) const;
    bool broken(const Counted& counted, HostIndex host, std::int32_t* found) const;

    const Cluster& cluster_;
    const Request& request_;
    std::vector<Counted> counted_;
    std::vector<Forbidden> forbidden_;
    bool any_soft_ = false;
};

}  // namespace blixard::scheduler
