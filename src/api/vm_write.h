// What the writes of VMs share: finding the record, and the draft that puts it back changed. Pure.
#pragma once

#include <functional>
#include <string>

#include "api/call.h"
#include "api/draft.h"
#include "model/vm.h"
#include "view/snapshot.h"

namespace blixard::api {

// Which VM a request is about, and what the client has seen of it.
struct VmTarget {
    Subject subject;
    std::optional<store::Revision> seen;  // If-Match
};
Result<VmTarget> vm_target(const Call& call);

// The VM that is there, is not being deleted, and has not changed since the client saw it.
Result<const view::VmEntry*> find_vm(const view::Snapshot& state, const VmTarget& target);

// A draft that counts on the VM's record and puts `record` in its place; empty where it is the
// same. A different spec raises the record's generation.
Draft change_record(const view::VmEntry& vm, const VmTarget& target, model::VmRecord& record);
// A draft that changes nothing.
Draft unchanged(const view::VmEntry& vm, const VmTarget& target);

// No machine of it can be running or be about to.
bool is_inactive(const view::VmEntry& vm);

}  // namespace blixard::api
