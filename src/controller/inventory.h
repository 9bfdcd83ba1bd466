// The scheduler's picture of the cluster, kept in step with the view: hosts with their state, and
// every VM that holds room somewhere. Decisions that are not committed yet are counted at once, so
// that two decisions never count the same room.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/log.h"
#include "scheduler/cluster.h"
#include "view/snapshot.h"

namespace blixard::controller {

class Inventory {
 public:
    explicit Inventory(Log& log) : log_(log) {}

    // VMs about which something is being written: they stay as they are counted, whatever the state
    // says.
    using Busy = std::unordered_set<std::string>;

    // Everything anew.
    void rebuild(const view::Snapshot& state,
                 const std::map<std::string, scheduler::HostState>& states, const Busy& busy);
    // One host or VM as the state has it now; gone if the state has it no more.
    void refresh_node(const view::Snapshot& state, const std::string& node,
                      scheduler::HostState host_state, const Busy& busy);
    void refresh_vm(const view::Snapshot& state, const std::string& vm);

    // Counts a decision ahead of its commit; refresh_vm() puts right what the store decided
    // otherwise.
    void count(std::shared_ptr<const scheduler::Request> request, const std::string& host,
               const scheduler::Assignment& where);
    void uncount(const std::string& vm);
    // Keeps so much room on another host for a VM that is told to leave its own, until drop_hold()
    // or, where nothing is being written about it, rebuild().
    void hold(const scheduler::Request& request, const std::string& host,
              const scheduler::Assignment& where);
    bool drop_hold(const std::string& vm);  // false: there was none

    // As it is counted now; null if it is not.
    std::shared_ptr<const scheduler::Request> request_of(const std::string& vm) const;

    // Up to this revision rebuild() has taught the cluster what is asked for; the rest is observed
    // as it comes.
    view::Revision learnt() const { return learnt_; }

    scheduler::Cluster& cluster() { return cluster_; }
    const scheduler::Cluster& cluster() const { return cluster_; }

 private:
    Log& log_;
    scheduler::Cluster cluster_;
    view::Revision learnt_ = 0;
};

}  // namespace blixard::controller
