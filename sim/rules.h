// May this VM lie on this host? The rules of placement, written down once more and as plainly as
// can be, from the records alone: capacity, hard affinity, constraints, volumes. The scheduler is
// not asked, so that the two can disagree. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "view/snapshot.h"

namespace blixard::sim {

// A VM that asks of one host after the other whether it may lie there. It counts as one that does,
// wherever it is placed now. What it needs of other VMs is counted once; both outlive it.
class Candidate {
 public:
    // `new_there`: it has just come to where it is; who came since that was decided came later.
    Candidate(const view::Snapshot& state, const view::VmEntry& vm, bool new_there = false);
    ~Candidate();
    Candidate(const Candidate&) = delete;
    Candidate& operator=(const Candidate&) = delete;

    // Empty: nothing forbids it.
    std::string what_forbids(const view::NodeEntry& host) const;
    // As if every preemptible VM of lower priority had left the host.
    std::string what_breaks_after_preemption(const view::NodeEntry& host) const;
    // There is room for it, were those not there; what else speaks against the host is not asked.
    bool has_room_without(const view::NodeEntry& host, const std::set<std::string>& gone) const;
    bool must_be_near(const view::VmEntry& other) const;
    // Every word that a decision could truly say against the host ("cpu", "zone"); empty: nothing
    // forbids it.
    std::set<std::string> reasons_against(const view::NodeEntry& host) const;

    std::string_view project() const { return vm_.project(); }

 private:
    class Neighbours;
    std::string what_breaks(const view::NodeEntry& host, bool without_lower) const;

    const view::Snapshot& state_;
    const view::VmEntry& vm_;
    const std::unique_ptr<const Neighbours> neighbours_;
};

// What is wrong with a reason that was written for a VM that waits: "fits on none of 5 hosts: 3 x
// memory, 2 x cordoned". Empty: all that it says is so.
std::string what_is_untrue(const view::Snapshot& state, const Candidate& vm,
                           const std::string& reason);
// Of such a reason, whenever it was written: each host is counted once. Empty: so it is.
std::string miscounted(const std::string& reason);

// A disk of it is on the host where it lies.
bool is_pinned(const view::Snapshot& state, const view::VmEntry& vm);
// A file of one of its local volumes is on another host that exists.
bool has_a_file_elsewhere(const view::Snapshot& state, const view::VmEntry& vm);
// Who lies somewhere and must be near it; empty: nobody.
std::string who_needs_it_near(const view::Snapshot& state, const view::VmEntry& vm);
// What its VMs leave of the memory that a host gives.
std::int64_t memory_free_mib(const view::Snapshot& state, const view::NodeEntry& host);
bool could_go_elsewhere(const view::Snapshot& state, const view::VmEntry& vm);

}  // namespace blixard::sim
