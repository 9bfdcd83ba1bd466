// May this VM lie on this host? The rules of placement, written down once more and as plainly as
// can be, from the records alone: capacity, hard affinity, constraints, volumes. The scheduler is
// not asked, so that the two can disagree. Pure.
#pragma once

#include <set>
#include <string>

#include "view/snapshot.h"

namespace blixard::sim {

// Empty: nothing forbids it. `vm` itself counts as one that lies on `host`, wherever it is placed
// now.
std::string what_forbids(const view::Snapshot& state, const view::VmEntry& vm,
                         const view::NodeEntry& host);

// Every word that a decision could truly say against the host ("cpu", "zone"); empty: nothing
// forbids it.
std::set<std::string> reasons_against(const view::Snapshot& state, const view::VmEntry& vm,
                                      const view::NodeEntry& host);

// What is wrong with a reason that was written for a VM that waits: "fits on none of 5 hosts: 3 x
// memory, 2 x cordoned". Empty: all that it says is so.
std::string what_is_untrue(const view::Snapshot& state, const view::VmEntry& vm,
                           const std::string& reason);

// The same, as if every preemptible VM of lower priority had left the host.
bool fits_after_preemption(const view::Snapshot& state, const view::VmEntry& vm,
                           const view::NodeEntry& host);

// A disk of it is on the host where it lies.
bool is_pinned(const view::Snapshot& state, const view::VmEntry& vm);
bool could_go_elsewhere(const view::Snapshot& state, const view::VmEntry& vm);

}  // namespace blixard::sim
