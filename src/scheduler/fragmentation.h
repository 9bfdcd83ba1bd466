// How much of a host's room is of no use to the VMs that usually come: the measure behind the
// default strategy.
#pragma once

#include <vector>

#include "scheduler/mix.h"
#include "scheduler/room.h"

namespace blixard::scheduler {

// The room that the mix cannot use, in CPUs (and GPUs) expected over the mix. Never below 0.
double room_lost(const std::vector<Flavour>& mix, const Room& room, const Room& capacity);

}  // namespace blixard::scheduler
