// Whom a VM must be with or keep away from, as far as a decision counts on where they are: their
// places must stand when it is written. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "view/snapshot.h"

namespace blixard::controller {

// It has a hard rule to be with others.
bool needs_company(const view::VmEntry& vm);

// A hard rule of `vm` says that it must be where `other` is.
bool must_be_with(const view::VmEntry& vm, const view::VmEntry& other);

// A hard rule of one of them limits how many such VMs are in one zone (or rack, or whatever is
// wider than a host), and speaks of the other.
bool keep_apart(const view::VmEntry& one, const view::VmEntry& other);

// A hard rule of `owner`, a third VM, counts both of them together in one such zone.
bool counts_both(const view::VmEntry& owner, const view::VmEntry& one, const view::VmEntry& other);

// For each rule to be with others one VM that satisfies it on `host`; none for a rule whose first
// VM this is.
std::vector<const view::VmEntry*> company_on(const view::Snapshot& state, const view::VmEntry& vm,
                                             std::string_view host);

}  // namespace blixard::controller
