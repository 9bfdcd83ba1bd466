// A cluster's state as the view makes it from the store's bytes: VMs as large as those of daily
// life.
#pragma once

#include <string>
#include <vector>

#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::bench {

inline constexpr const char* kImage = "bench-image";
inline constexpr const char* kProject = "default";

std::string vm_name(std::int64_t number);  // "web-00042"

// Spec, placement and status of a running VM, in the order of their keys.
std::vector<store::KeyValue> vm_items(std::int64_t number, store::Revision revision);
// The image, the project and the hosts that the VMs refer to.
std::vector<store::KeyValue> common_items();

// All of it applied, as a daemon has it in memory.
view::SnapshotPtr make_state(std::int64_t vms);

// The body of POST /v1/vms that makes such a VM.
std::string create_body(std::int64_t number);

}  // namespace blixard::bench
