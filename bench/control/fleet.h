// Simulated hosts with their leases, and the people who create VMs on them. What it sees comes from
// a watch of its own, so that nothing is taken from the controller's word.
//
// Each host keeps a lease of its own, as the product's agents do, and answers a placement as an
// agent does: it asks the store whether it may start the VM (status starting), then says that it
// runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/lease.h"
#include "base/log.h"
#include "bench/control/loop_thread.h"
#include "store/store.h"

namespace blixard::bench {

using Moment = std::chrono::steady_clock::time_point;

// What has been written under vms/ while somebody counted.
struct Written {
    std::int64_t puts = 0;
    std::int64_t transactions = 0;  // revisions
    std::int64_t bytes = 0;         // keys and values
    std::int64_t placement_bytes = 0;
    std::int64_t placements = 0;
    std::int64_t placement_transactions = 0;
};

class Fleet final : private store::WatchHandler {
 public:
    explicit Fleet(std::vector<std::string> endpoints);
    ~Fleet() override;

    // Writes what a cluster has before its first VM: the image. False: the store does not answer.
    bool prepare();
    // Takes on `count` hosts of 64 CPUs and 256 GiB, and waits until each has its lease.
    bool add_hosts(std::int64_t count);
    // Whether the hosts answer placements as agents do, or leave them be.
    void set_agents(bool answer);
    // No new VMs go there.
    bool cordon(const std::string& node);

    // Creates VMs; returns at once.
    void create(const std::vector<std::string>& names);
    // Waits until all of them have a place (or run, `running`); false after `patience`.
    bool wait_for(const std::vector<std::string>& names, bool running, Millis patience);

    struct Times {
        Moment created, placed;
    };
    // Of VMs that have a place.
    std::vector<Times> times(const std::vector<std::string>& names);
    Written take_written();  // since the last call
    double cpu_seconds() { return thread_.cpu_seconds(); }

    // So many VMs with all their records, stopped, on the hosts; straight into the store.
    bool fill(const std::string& prefix, std::int64_t count);

 private:
    struct Host {
        std::string name;
        store::Store* store = nullptr;
        std::unique_ptr<agent::HostLease> lease;
    };
    struct Seen {
        Moment created, placed;
        bool has_place = false, runs = false;
    };

    void on_batch(store::WatchBatch batch) override;
    void on_end(Error) override {}
    void answer(const std::string& name, const store::KeyValue& placement);
    void say(const std::string& name, const std::string& node, std::int64_t epoch,
             store::Revision placement, store::Revision status, bool running);
    store::Store& store() { return *stores_.front(); }
    bool commit_all(std::vector<store::Transaction> transactions);

    NullLog log_;
    std::mutex mutex_;  // guards the two below
    std::unordered_map<std::string, Seen> seen_;
    Written written_;
    LoopThread thread_;
    // Hosts use whichever member of etcd is near them: a connection for each of them, and the hosts
    // by turns on these. The first one is also the creators' and the watch's.
    std::vector<std::unique_ptr<store::Store>> stores_;
    std::map<std::string, Host> hosts_;
    bool agents_ = true;
};

}  // namespace blixard::bench
