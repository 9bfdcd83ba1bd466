// What a project may use in all. Pure; writes.h sees to it that two writes at once cannot exceed it
// together.
#pragma once

#include <string>

#include "api/draft.h"
#include "model/vm.h"
#include "view/snapshot.h"

namespace blixard::api {

struct Use {
    std::int64_t vms = 0;
    std::int64_t cpus = 0;
    std::int64_t memory_mib = 0;
    std::int64_t disk_mib = 0;
};
Use use_of(const model::VmSpec& spec);
// May the project use this much more? Where it has a quota, the draft is written against it.
Status check_quota(const view::Snapshot& state, const std::string& project, const Use& more,
                   Draft& draft);

// How many of `count` things that use so much each it may have, and why not more (kOk: all).
struct Allowance {
    std::int64_t count = 0;
    Status beyond;
};
Allowance allowance_of(const view::Snapshot& state, const std::string& project, const Use& each,
                       std::int64_t count);

}  // namespace blixard::api
