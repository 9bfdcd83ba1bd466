// One host's loop: looks at the VMs that are placed here and at the machines that run here, does
// the next right thing for each (plan.h), and says what is true (status). Everything on one
// executor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/launch.h"
#include "agent/lease.h"
#include "agent/plan.h"
#include "agent/state.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "hypervisor/hypervisor.h"
#include "model/node.h"
#include "store/store.h"
#include "view/view.h"

namespace blixard::agent {

// Where image files are: the host's own content-addressed files, fetched from other hosts where
// they are missing.
class Blobs {
 public:
    virtual ~Blobs() = default;
    // The local path of a verified file, or why it cannot be had. On the agent's executor, once.
    virtual void ensure(const std::string& sha256, Callback<std::string> done) = 0;
};

// Looks into a guest from outside; see model::HealthCheck. Absent in places that have no network.
class HealthProbe {
 public:
    virtual ~HealthProbe() = default;
    // `address`: "127.0.0.1:34567", the forward of the check's port.
    virtual void probe(const model::HealthCheck& check, const std::string& address,
                       Callback<bool> healthy) = 0;
};

struct AgentSettings {
    std::string node;
    model::NodeStatus
        facts;  // what was found out about this host; the agent writes it to nodes/<node>/status
    Storage storage;
    LeaseSettings lease;
    std::string run_uid = {};  // of this daemon run; empty: a new one
    // A safety net: nothing relies on it but lost notifications. The simulation does without.
    Millis look_at_all_every = seconds(30);
};

struct AgentCounters {
    std::uint64_t starts = 0, start_failures = 0, stops = 0, exits = 0, restarts = 0, fenced = 0,
                  status_writes = 0;
};

class Agent {
 public:
    struct Deps {
        store::Store& store;
        view::View& view;
        hypervisor::Hypervisor& hypervisor;
        Blobs& blobs;
        HealthProbe* probe;  // may be null
        Executor& executor;
        const Clock& clock;
        Random& random;
        Log& log;
    };
    Agent(Deps deps, AgentSettings settings);
    ~Agent();

    // Recovers what an earlier daemon left, then takes the lease, then works. `ready`: recovered.
    // The view must be started and ready.
    void start(std::function<void(Status)> ready);
    void stop();

    // For a record of inputs (src/recorder). Absent while something is under way.
    std::optional<AgentState> state() const;
    // Instead of start(): goes on from there. Arms the timers in the order of for_each_timer(), the
    // caller knows for when.
    void resume(const AgentState& state);

    const HostLease& lease() const { return lease_; }
    const AgentCounters& counters() const { return counters_; }
    // Changed facts about the host (an image file more, a pool gone): written to the store where
    // they differ.
    void set_facts(model::NodeStatus facts);
    const model::NodeStatus& facts() const { return facts_; }

 private:
    static constexpr Millis kRetryStatus = seconds(1);  // after a write that the store did not take
    static constexpr Millis kRetryDisk = seconds(5);  // after a disk that could not be deleted now

    struct Vm {
        Memory memory;
        bool acting = false;             // a step is under way
        bool killing = false;            // a kill was sent beside a slow stop
        bool reporting = false;          // a status write is under way
        bool report_again = false;       // something else was to be said meanwhile
        bool starting_reported = false;  // the store has agreed to this start
        std::uint64_t epoch_acted = 0;
        TimerId timer = 0;
        TimerId health_timer = 0;
        std::uint64_t health_question = 0;  // a probe whose answer is waited for; 0: none is
        std::int64_t health_failures = 0;
        bool health_known = false, healthy = false;
    };

    store::Revision key_seen() const;
    void key_written();
    void take_up_work();
    void take_back_loss(const view::NodeEntry& node);
    void listen();
    void on_update(const view::Update& update);
    void on_event(const hypervisor::Event& event);
    void look_at_all();
    void mark(const std::string& vm);
    void drain_marks();
    void look(const std::string& vm);
    Wanted wanted_of(const view::VmEntry* entry, const std::string& vm) const;
    const hypervisor::Instance* instance_of(const std::string& vm);
    void act(const std::string& vm, const view::VmEntry* entry,
             const hypervisor::Instance* instance, const Decision& decision);
    std::string stale_directory(const std::string& vm, const view::VmEntry* entry,
                                const hypervisor::Instance* instance) const;
    void purge(const std::string& vm, const std::string& uid);
    void start_vm(const std::string& vm, const view::VmEntry& entry);
    void announce_start(const std::string& vm, hypervisor::Launch launch, view::SnapshotPtr state);
    // `lease_key`: under which the store agreed to the start.
    void launch_vm(const std::string& vm, hypervisor::Launch launch, store::Revision lease_key);
    void files_missing(const std::string& vm, const Error& error);
    void start_failed(const std::string& vm, const Error& error);
    void finish_vm(const std::string& vm, const view::VmEntry& entry);
    void delete_records(const std::string& vm, view::SnapshotPtr state);
    void step_done(const std::string& vm);
    void report(const std::string& vm, const view::VmEntry& entry,
                const hypervisor::Instance* instance, model::Phase phase,
                const std::string& message);
    model::VmStatus status_for(const view::VmEntry& entry, const hypervisor::Instance* instance,
                               model::Phase phase, const std::string& message, const Vm& vm) const;
    void commit_status(const std::string& vm, const view::VmEntry& entry,
                       const model::VmStatus& status, store::Transaction transaction,
                       std::function<void(bool)> done);
    void count_restart(Vm& vm, const std::string& why);
    void watch_health(const std::string& vm, const view::VmEntry& entry,
                      const hypervisor::Instance& instance);
    void check_health(const std::string& vm);
    void probe_answered(const std::string& vm, std::uint64_t question, MonoTime due, bool healthy);
    void health_result(const std::string& vm, bool healthy);
    void note_volume(const view::VolumeEntry& volume);
    void note_deleted_volumes();
    void remove_volumes();
    void write_facts();
    void look_again_later();
    void look_later(const std::string& vm, Millis delay);
    void check_health_later(const std::string& vm, Millis delay);

    Deps deps_;
    const AgentSettings settings_;
    model::NodeStatus facts_;
    const std::string run_uid_;
    HostLease lease_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    // Recovered, the lease's key is in the view, and nobody says that we are lost.
    bool working_ = false;
    bool stopped_ = false;
    bool facts_writing_ = false;
    TimerId look_timer_ = 0;
    bool drain_posted_ = false;
    std::map<std::string, Vm> vms_;
    std::map<std::string, hypervisor::Instance> instances_;   // as of the last event
    std::map<std::string, std::set<std::string>> leftovers_;  // VM -> uids with a directory here
    std::set<std::string> marked_;
    std::set<std::string> volumes_deleted_;  // as the view says; their files may be there still
    std::set<std::string> volumes_deleting_;
    AgentCounters counters_;
    std::uint64_t health_questions_ = 0;
};

}  // namespace blixard::agent
