// One simulated host: the hardware, which survives, and the daemon on it, which comes and goes:
// the product's view, agent, controller and API on a store client of their own.
//
// Threads: one.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "api/api.h"
#include "controller/controller.h"
#include "recorder/memory_sink.h"
#include "recorder/recording.h"
#include "sim/checker.h"
#include "sim/decision_checks.h"
#include "sim/schedule.h"
#include "sim/sim_hypervisor.h"
#include "sim/timeline.h"
#include "sim/trace.h"
#include "sim/versioned_store.h"
#include "store/memory/memory_store.h"
#include "view/steps.h"
#include "view/view.h"

namespace blixard::sim {

// Room for ten VMs on each host, with two thirds of it in use; hosts for more are larger by as
// much.
inline constexpr std::int64_t kHostCpus = 16;
inline constexpr std::int64_t kHostMemoryMib = 6144;
inline constexpr std::int64_t kCrowdedMemoryMib = 4096;  // ... or hardly for ten
inline std::int64_t memory_mib_of_host(const Plan& plan) {
    return plan.crowded() ? kCrowdedMemoryMib : kHostMemoryMib;
}
inline constexpr int kVmsOnHost = 10;
// There is not room for all local disks everywhere.
inline constexpr std::int64_t kHostDiskMib[] = {400, 600, 100'000};
// Three kinds of host: what they promise, what they have, where they stand.
model::NodeSpec spec_of_host(int index);
std::vector<std::string> features_of_host(int index);

class SimHost final : private store::FaultPlan {
 public:
    struct Deps {
        Timeline& timeline;
        Trace& trace;
        Checker& checker;
        SharedStorage& shared;
        std::shared_ptr<store::MemoryBackend> backend;
        view::Steps& steps;                        // what the views of all hosts share
        std::int64_t size = 1;                     // how many times the usual host
        std::int64_t memory_mib = kHostMemoryMib;  // of the usual host
        Millis reserve_after = seconds(300);       // who has waited so long has a host kept free
        bool safety_nets = true;                   // its loops look at all from time to time
        recorder::MemorySink* record = nullptr;  // of the inputs of its daemons; null: none is kept
    };
    // `index`: 0 is the first host.
    SimHost(Deps deps, int index, std::uint64_t seed, std::int64_t clock_ppm);
    ~SimHost() override;

    void start_daemon();
    void kill_daemon();
    // Between two steps of its own; back after `span`.
    void kill_daemon_after(std::uint64_t tasks, Millis span);
    void pause_daemon(Millis span);
    void cut_power();
    bool up() const { return daemon_ != nullptr; }

    // Faults of the way to the store; each is a count of those under way.
    struct Ways {
        int requests_cut = 0, replies_cut = 0, slow = 0;
        std::int64_t slow_ms = 0;  // how slow the last slow one is, each way
        int watch_slow = 0;
        std::int64_t watch_ms = 0;
    };
    void change_ways(const std::function<void(Ways&)>& change);
    void set_store_trouble(bool on) {
        trouble_ += on ? 1 : -1;
        disturb();
    }
    void set_doubled(bool on) {  // what it sends to the store arrives twice, at times
        doubled_ += on ? 1 : -1;
        disturb();
    }
    // Of its next write of that key it does not learn that it happened.
    void lose_answer_about(std::string key) { lost_about_ = std::move(key); }
    // What it has asked of the store lately may not have been answered.
    void disturb() { disturbed_at_ = deps_.timeline.mono(); }
    void set_clients_trouble(bool on) { clients_trouble_ += on ? 1 : -1; }
    // What becomes of one request of a client to this host.
    enum class ClientFate : std::uint8_t { kGood, kRequestLost, kAnswerLost };
    ClientFate client_fate();
    void set_clock(std::int64_t ppm) { clock_.set_ppm(ppm); }
    void restore_clock() { clock_.set_ppm(ppm_); }
    // A daemon of the next version from now on, or of this one: at its next start.
    void set_next_version(bool next) { next_version_ = next; }
    // The host is put up anew: nothing of what it had is there.
    void wipe();
    void heal();

    const std::string& name() const { return name_; }
    SimMachines& machines() { return machines_; }
    const view::View* view() const {
        return daemon_ && daemon_->agent ? daemon_->view.get() : nullptr;
    }
    std::uint64_t run() const { return run_; }  // of its daemon
    api::Api* api() {
        return daemon_ && daemon_->serving && !daemon_->lane->paused() ? daemon_->api.get()
                                                                       : nullptr;
    }
    agent::Agent* agent() { return daemon_ ? daemon_->agent.get() : nullptr; }
    controller::Controller* controller() { return daemon_ ? daemon_->controller.get() : nullptr; }

    std::function<void()> on_daemon_gone;  // open requests and streams are cut off
    bool powered = true;

 private:
    struct Daemon;
    class PathBlobs;
    class Probe;
    class Files;
    class Planner;
    class AgentLease;

    store::CommitFault on_commit(const store::Transaction& transaction) override;
    store::CommitFault fault_of_commit();
    void look_at_lease_key(const store::Transaction& transaction);
    void assemble(Daemon& daemon);
    void put_node_spec(Daemon& daemon);
    void make_loops(Daemon& daemon, const agent::AgentSettings& settings,
                    const controller::ControllerSettings& control, store::Store& store,
                    hypervisor::Hypervisor& hypervisor, agent::Blobs& blobs,
                    agent::HealthProbe& probe, Executor& executor, const Clock& clock,
                    Random& random);
    void recovered(Daemon& daemon);
    void start_again();
    bool is_undisturbed() const;
    store::Link link() const;

    struct Daemon {
        Lane* lane = nullptr;
        std::unique_ptr<store::MemoryStore> link;
        std::unique_ptr<NextVersionStore> next_version;
        store::Store* store = nullptr;  // one of the two
        std::unique_ptr<recorder::Recording> recording;
        std::unique_ptr<view::View> view;
        std::unique_ptr<SimHypervisor> hypervisor;
        std::unique_ptr<agent::Blobs> blobs;
        std::unique_ptr<agent::HealthProbe> probe;
        std::unique_ptr<api::BlobPort> files;
        std::unique_ptr<api::PlanPort> planner;
        std::unique_ptr<controller::LeaseSource> lease;
        std::unique_ptr<agent::Agent> agent;
        std::unique_ptr<controller::Controller> controller;
        std::unique_ptr<api::Api> api;
        std::unique_ptr<DecisionChecks> decisions;
        bool serving = false;
    };

    Deps deps_;
    const int index_;
    const std::string name_;
    const std::int64_t ppm_;
    TraceLog log_;
    SeededRandom ids_, network_, files_;
    HostClock clock_;
    SimMachines machines_;
    Ways ways_;
    int trouble_ = 0, doubled_ = 0, clients_trouble_ = 0;
    bool next_version_ = false;
    std::string lost_about_;  // a key
    MonoTime disturbed_at_{};
    std::uint64_t run_ = 0;
    std::vector<std::unique_ptr<Lane>>
        lanes_;  // of all daemons ever: what is on its way refers to them
    std::unique_ptr<Daemon> daemon_;
};

}  // namespace blixard::sim
