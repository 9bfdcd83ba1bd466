// Whose turn it is: the higher priority first, then the older, then by name.
#pragma once

#include "base/mutant.h"
#include "scheduler/request.h"

namespace blixard::scheduler {

inline bool goes_before(const Request& a, const Request& b) {
    if (a.priority != b.priority)
        return (a.priority > b.priority) != mutant(MutantId::kLowGoesFirst);
    if (a.created != b.created) return a.created < b.created;
    return a.vm < b.vm;
}

}  // namespace blixard::scheduler
