// All that an agent is, at a quiet moment: nothing asked and unanswered, nothing under way. A
// record of a daemon's inputs (src/recorder) begins with one, and an agent that is made from it
// goes on as this one does. A plain value.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "agent/plan.h"
#include "base/time.h"
#include "model/node.h"
#include "store/store.h"

namespace blixard::agent {

struct LeaseState {
    store::LeaseId id = 0;
    store::Revision key_revision = 0;
    MonoTime deadline{};
    MonoTime granted_at{};
    TimerId tick = 0;
};

struct VmState {
    Memory memory;
    TimerId look = 0;    // when it is looked at again
    TimerId health = 0;  // when its health is
    std::int64_t health_failures = 0;
    bool health_known = false, healthy = false;
};

struct AgentState {
    std::string run_uid;
    model::NodeStatus facts;
    LeaseState lease;
    TimerId look_at_all = 0;
    std::map<std::string, VmState> vms;
    std::map<std::string, std::set<std::string>> leftovers;
};

// Visits every timer, in the order in which an agent that is made anew arms them; one that has run
// is 0 or names no timer.
template <class State, class Visit>
void for_each_timer(State& state, Visit&& visit) {
    visit(state.lease.tick);
    visit(state.look_at_all);
    for (auto& [name, vm] : state.vms) {
        visit(vm.look);
        visit(vm.health);
    }
}

}  // namespace blixard::agent
