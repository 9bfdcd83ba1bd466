// The elected host's loop: gives every VM that wants one a place, takes places away that have
// served, and places the VMs of lost hosts anew. Every write carries the proof of the election and
// compares all that the decision counted on.
//
// Everything on one executor. On hosts that are not elected it only watches, and tries to be
// elected.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "controller/election.h"
#include "controller/inventory.h"
#include "controller/liveness.h"
#include "controller/needs.h"
#include "controller/state.h"
#include "scheduler/batch.h"
#include "scheduler/decision.h"
#include "scheduler/policy.h"
#include "store/store.h"
#include "view/view.h"

namespace blixard::controller {

struct ControllerSettings {
    std::string node;
    std::string run_uid;  // of this daemon run
    Millis lease_ttl = seconds(4);
    scheduler::Policy policy;
    Millis keep_history = seconds(600);  // the store forgets changes older than this
    // A safety net: nothing relies on it but lost notifications. The simulation does without.
    Millis look_every = seconds(5);
};

struct ControllerCounters {
    std::uint64_t placed = 0, pending_decisions = 0, failovers = 0, evictions = 0, commits = 0,
                  refused_commits = 0;
};

class Controller {
 public:
    struct Deps {
        store::Store& store;
        view::View& view;
        Executor& executor;
        const Clock& clock;
        Random& random;
        Log& log;
        LeaseSource& lease;
    };
    Controller(Deps deps, ControllerSettings settings);
    ~Controller();

    void start();  // the view must be started
    void stop();

    // For a record of inputs (src/recorder). Absent while something is undecided.
    std::optional<ControllerState> state() const;
    // Instead of start(): goes on from there. Arms its timers, the tick's first.
    void resume(ControllerState state);
    // At the next tick: asks all who wait anew, and counts from the view alone. What state() does
    // not have is forgotten: the queue's turns, which follow from it again.
    void begin_anew();

    bool elected() const { return election_.elected(); }
    const ControllerCounters& counters() const { return counters_; }
    std::size_t pending() const { return pending_since_.size(); }

 private:
    // One change to the store, and what it is about.
    struct Proposal {
        std::vector<std::string>
            about;  // VMs (or "operation <id>") that are not looked at until it is decided
        store::Transaction transaction;
        std::string from = {};  // a failover: the lost host
    };

    void on_update(const view::Update& update);
    void listen();
    void wake();
    void wake_later(Millis delay);
    void tick();
    void take_office(store::Revision proof);
    void leave_office();
    void note_leases(const view::Snapshot& state);
    void look_at_hosts();
    void recount(const std::string& vm);
    void look_at_vm(const std::string& vm);
    HostView host_view(std::string_view node) const;
    VolumesAt volumes_at(const view::VmEntry& vm) const;
    void place_pending();
    void begin_round(MonoTime now);
    bool place_next(scheduler::Batch& batch, const view::Snapshot& state);
    bool place_held(const view::VmEntry& vm);
    void round_at(MonoTime due);
    void ask_at(const std::string& vm, MonoTime due);
    void ask_who_is_due(MonoTime now);
    void forget_waiting(const std::string& vm);
    void refresh_reservations();
    void has_come(const scheduler::Request& placed);
    void propose_place(const view::VmEntry& vm, const scheduler::Decision& decision);
    bool reason_is_due(const std::string& vm) const;
    void propose_pending(const view::VmEntry& vm, const scheduler::Decision& decision);
    void propose_evictions(const view::VmEntry& vm, const scheduler::Decision& decision);
    void propose_clear(const view::VmEntry& vm);
    void propose_release(const view::VmEntry& vm, const std::string& reason);
    void propose_delete(const view::VmEntry& vm);
    void fail_over(const view::VmEntry& vm);
    void drain_vm(const view::VmEntry& vm);
    bool keep_room_elsewhere(const view::VmEntry& vm);
    void keep_room_for_who_leaves(const view::Snapshot& state);
    void keep_room_for_who_waits(const view::Snapshot& state);
    std::vector<std::pair<std::string, std::string>> reserved() const;
    void look_at_operations();
    void look_at_drain(const view::OperationEntry& operation, const view::Snapshot& state);
    void look_at_rebalance(const view::OperationEntry& operation, const view::Snapshot& state);
    void begin_move(const view::OperationEntry& operation, model::Operation now,
                    const view::Snapshot& state);
    void propose_operation(const view::OperationEntry& operation, model::Operation now);
    store::Put placement_put(const view::VmEntry& vm, const model::Placement& placement) const;
    void compare_vm(const view::VmEntry& vm, store::Transaction& transaction) const;
    void compare_host(std::string_view node, store::Transaction& transaction) const;
    void compare_company(const view::VmEntry& vm, std::string_view node,
                         store::Transaction& transaction) const;
    bool waits_for_company(const view::VmEntry& vm) const;
    bool is_ahead(const std::string& vm) const;
    bool waits_for_a_move(const view::VmEntry& vm) const;
    bool waits_for_others(const view::VmEntry& vm) const;
    void propose(Proposal proposal);
    void flush();
    void send(std::vector<std::string> vms, std::vector<std::string> from,
              store::Transaction transaction);
    void settle(const std::vector<std::string>& vms, const std::vector<std::string>& from);
    void settle_later(std::vector<std::string> vms, std::vector<std::string> from);
    void settle_unknown(std::vector<std::string> vms, std::vector<std::string> from,
                        store::Revision proof);
    scheduler::HostState state_of(const view::NodeEntry& node) const;
    void compact_later();

    Deps deps_;
    const ControllerSettings settings_;
    Election election_;
    Inventory inventory_;
    Liveness liveness_;
    scheduler::Policy policy_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    store::Revision in_office_ = 0;  // the proof of each write; 0: out of office
    store::LeaseId term_ = 0;        // of the election that the picture below was made for
    bool woken_ = false;
    TimerId timer_ = 0;
    TimerId compact_timer_ = 0;
    // Changed since the last look. Empty while not in office: who takes it looks at everything.
    std::set<std::string> dirty_vms_, dirty_nodes_, dirty_projects_;
    std::set<std::string> seen_lost_;  // lost hosts whose VMs have been looked at since
    bool everything_dirty_ = true;
    scheduler::Queue queue_;  // VMs that want a place
    // Who could not be asked when it was their turn, or could not before the answer about others is
    // there: asked again when one has come.
    std::set<std::string> passed_over_;
    // Counted where others make way for them, and not there yet; and some who were.
    std::set<std::string> ahead_;
    bool reservations_due_ = true;  // what they rest on may have changed
    bool drains_due_ = true;        // what they have come to may have changed
    scheduler::Reservations reservations_;
    scheduler::Placer placer_;
    std::unordered_map<std::string, MonoTime> pending_since_;  // VMs that want a place
    std::unordered_map<std::string, MonoTime> pending_told_;   // when the reason was last written
    // When the reason was last compared with what was written.
    std::unordered_map<std::string, MonoTime> reasons_looked_at_;
    std::unordered_map<std::string, MonoTime> reviews_;  // when each who waits is asked by itself
    std::unordered_set<std::string> busy_;               // a transaction about them is under way
    std::uint64_t rounds_ = 0;                           // so many have begun
    std::map<std::string, std::uint64_t> drains_looked_at_;  // operation -> in which round
    bool room_changed_ = true;          // something was freed or added: a round is due
    MonoTime next_round_from_{};        // no round before
    std::optional<MonoTime> round_at_;  // a round is due then
    // Who is asked again then, alone, if he waits still: for a newer reason, or a reservation.
    std::set<std::pair<MonoTime, std::string>> asked_next_;
    std::map<std::string, int>
        in_doubt_;  // hosts whose VMs are being failed over: they may yet hold the room
    std::vector<Proposal> proposals_;
    std::size_t vms_per_commit_ = kVmsPerCommit;
    std::vector<std::pair<MonoTime, store::Revision>> history_;
    ControllerCounters counters_;

    // Two keys of each are compared and two of each host: as many as kComparesPerCommit lets in.
    // The commits of a tick don't wait for one another, and one that is refused refuses none but
    // its own.
    static constexpr std::size_t kVmsPerCommit = 60;
    // Less than store::kMaxOperations, so that etcd can take several commits in one of its
    // transactions (store/etcd/combine.h).
    static constexpr std::size_t kComparesPerCommit = 120;
};

}  // namespace blixard::controller
