// What one VM needs of the controller now. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "view/snapshot.h"

namespace blixard::controller {

// The host that the VM's placement names, as the controller judges it.
struct HostView {
    bool exists = false;
    bool lost = false;     // its lease is gone and the margin has passed
    bool vouched = false;  // an operator says that it has no power (node lost)
    bool draining = false;
};

enum class Need : std::uint8_t {
    kNothing,
    kPlace,     // has no place and wants one
    kClear,     // its placement has served: stopped for good, or released by its agent
    kDrain,     // its host is being drained: release it if it fits elsewhere
    kFailOver,  // its host is lost
    kFollow,    // it cannot start where it is: a volume's file is on another host
    kDelete,    // deleted, and no host has to clean up: remove the records
};

// Where the files of its local volumes are, as far as they have been made.
struct VolumesAt {
    bool its_host = false;  // one at least
    std::string elsewhere;  // one on another host that exists: "volume data is on host h2"
};

Need need_of(const view::VmEntry& vm, const HostView& host, const VolumesAt& volumes);

// True if the VM may be moved for the sake of others: a running one, that would run again
// elsewhere. There is no live migration: it is restarted.
bool movable(const view::VmEntry& vm);

// True if the agent of the placement's host has been allowed to start it (and so may have it
// running).
bool announced(const view::VmEntry& vm);

}  // namespace blixard::controller
