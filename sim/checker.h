// What must hold after every step, seen from outside: from the store's committed changes, from what
// the daemons send, and from the processes that really run. It asks no daemon.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/keys.h"
#include "sim/sim_machines.h"
#include "sim/trace.h"
#include "store/memory/memory_backend.h"
#include "view/snapshot.h"

namespace blixard::sim {

// What a daemon writes it has decided no longer ago: pauses, outages and delays may come together.
inline constexpr Millis kDecidedWithin = seconds(300);

class Checker final : public MachineWatcher, public store::MemoryBackend::Listener {
 public:
    Checker(const store::MemoryBackend& backend, const Clock& clock, Trace& trace)
        : backend_(backend), clock_(clock), trace_(trace) {}

    // A process that runs, as the world knows it.
    struct Running {
        std::uint64_t epoch = 0;
        bool fenced = false;
        std::set<std::string> writes;                // the shared disks that it has open
        std::set<std::string> opened;                // all its disks
        std::set<std::string> written;               // those of them that it may write to
        bool found_well = false, found_ill = false;  // by its health checks, at some time
    };

    // What counts against a quota.
    struct Use {
        std::int64_t vms = 0, cpus = 0, memory_mib = 0, disk_mib = 0;
        void operator+=(const Use& other) { add(other, 1); }
        void operator-=(const Use& other) { add(other, -1); }
        void add(const Use& other, std::int64_t sign) {
            vms += sign * other.vms;
            cpus += sign * other.cpus;
            memory_mib += sign * other.memory_mib;
            disk_mib += sign * other.disk_mib;
        }
    };

    // The world's eyes.
    void on_revision() override;
    void on_process_start(const std::string& host, const Machine& machine) override;
    void on_process_end(const std::string& host, const Machine& machine,
                        std::string_view why) override;
    void on_record_torn(const Machine& machine) override;
    void on_health(const std::string& host, const Machine& machine, bool well) override;
    // Its daemon has read the state, and is told of each change from now on.
    void on_watching(const std::string& host) { watching_since_[host] = clock_.mono(); }
    void on_daemon_gone(const std::string& host);
    void on_disk_deleted(const std::string& host, const std::string& path) override;
    // A daemon moved its watchdog's deadline, both on the clock of its host.
    void on_feed(const std::string& host, MonoTime deadline, const HostClock& clock) override;
    void on_send(const std::string& host, const store::Transaction& transaction);
    // This host's clock is wrong by more than the margin from now on, or people say of it what is
    // not so: only the disks are asked, and that all comes right.
    void beyond_assumptions(const std::string& host) { beyond_.insert(host); }

    // What operators did and were told.
    void delete_asked(const std::string& vm) { deletions_asked_[vm] = clock_.mono(); }
    void create_acknowledged(const std::string& vm, const std::string& key, const std::string& uid);
    void label_acknowledged(const std::string& vm, const std::string& uid,
                            const std::string& label);
    // Each order to start or restart may raise the restart generation by one, however often it was
    // sent.
    void restart_asked(const std::string& vm) { ++restarts_asked_[vm]; }

    struct EventText {
        std::string type, project, name;  // "vm.created", ...
        auto operator<=>(const EventText&) const = default;
    };
    // An event stream that a client follows from now on, of all or of what its filter lets through.
    struct EventLedger {
        std::string type, project, name;  // empty: all; of a type: its beginning
        std::deque<std::pair<store::Revision, std::multiset<EventText>>> owed;

        void owe(store::Revision revision, const std::vector<EventText>& events);
    };
    void follow(EventLedger* ledger) { ledgers_.push_back(ledger); }
    void on_event(EventLedger& ledger, store::Revision revision, const EventText& event);
    // The client has seen all up to here, says the stream.
    void on_event_mark(EventLedger& ledger, store::Revision revision);

    void broken(std::string what);  // the first one counts
    void decided_wrongly(const std::string& host, const std::string& wrong);
    // All that has been written and not deleted is there, and nothing else.
    void look_at_all_that_is_stored();
    // The store has been compacted, and no daemon did it.
    void compacted_by_others() { compacted_ = backend_.history().compacted(); }

    void counted(std::uint64_t n = 1) { checks_ += n; }

    const std::optional<std::string>& failure() const { return failure_; }
    std::uint64_t checks() const { return checks_; }
    const view::Snapshot& state() const { return state_; }
    // By VM: since when it has had no place. Nobody can have waited longer.
    const std::map<std::string, MonoTime>& without_place() const { return without_place_; }
    // By uid: host -> what runs there.
    const std::map<std::string, std::map<std::string, Running>>& processes() const {
        return processes_;
    }

 private:
    struct LeaseEnd {
        MonoTime at{};
        store::Revision revision = 0;
        std::int64_t lease = 0;
        MonoTime held_since{};
    };
    void apply(store::Revision revision, const std::vector<store::Change>& changes);
    void check_rest();
    void check_operation(const std::string& id);
    void check_vm(const std::string& vm, const view::VmEntry* before, const view::VmEntry* after);
    void check_kept(const store::Change& change);
    void check_made_once(const store::Change& change);
    void check_volume(const store::Change& change);
    void check_volume_status(const store::Change& change);
    void check_open_volumes(const view::VmEntry& after);
    void check_node(const store::Change& change);
    void check_project(const store::Change& change);
    void check_spec(const view::VmEntry* before, const view::VmEntry& after);
    void check_placement(const view::VmEntry* before, const view::VmEntry& after);
    void check_unused(const model::ParsedKey& gone);
    void check_volumes(const view::VmEntry* before, const view::VmEntry& after);
    void check_volumes_of(const std::string& host, const Machine& machine);
    void check_place(const view::VmEntry& after);
    void check_release(const view::VmEntry& after);
    void check_status(const view::VmEntry* before, const view::VmEntry& after);
    void check_record_of(const view::VmEntry* before, const view::VmEntry& after);
    void check_end_of(const view::VmEntry& after);
    void check_one_drain(const std::string& id, const model::Operation& now);
    void check_drain(const std::string& id, const model::Operation& now);
    void check_rebalance(const std::string& id, const model::Operation& then,
                         const model::Operation& now);
    void check_history_kept();
    void check_stored(const store::Change& change, store::Revision revision);
    void check_quota(const std::string& project, const Use& more);
    void check_failover(const view::FailoverEntry& failover);
    void check_lease_end(const std::string& host);
    void check_lease_named(const model::Failover& proof, const LeaseEnd& end);
    void note_lease(const store::Change& change);
    void note_place(const std::string& vm, const view::VmEntry* before, const view::VmEntry* after);
    bool runs(const std::string& uid) const;
    // Who reads the state anew knows nothing of what it does not understand: not its room either.
    bool understands_all() const;
    void not_running(const std::string& uid, const std::string& what);

    const store::MemoryBackend& backend_;
    const Clock& clock_;
    Trace& trace_;
    NullLog log_;
    view::Snapshot state_;
    store::Revision seen_ = 0;
    std::map<std::string, std::map<std::string, Running>> processes_;
    std::map<std::string, std::set<std::int64_t>>
        pids_;  // by "<uid> <epoch>", of all processes ever
    struct End {
        bool well = false;
        std::string host;
        MonoTime at{};
        std::int64_t generation = 0;
        bool daemon_knows = true;  // it has run since then, and waits before it starts it again
        int in_a_row = 1;          // ends that this daemon has seen, each soon after the start
        bool answered = true;      // its start, before it ended
    };
    std::map<std::string, End> ended_;  // by "<uid> <epoch> <restart generation>": how, last
    struct StartedOnce {
        std::string host;
        std::int64_t generation = 0;
    };
    // By incarnation, of those that are never restarted: by the daemon that lives.
    std::map<std::string, StartedOnce> started_once_;
    struct LastEnd {
        std::uint64_t epoch = 0;
        bool told = false;      // to end
        bool ran_long = false;  // and undisturbed
    };
    std::map<std::string, LastEnd> last_ends_;  // by uid
    std::map<std::string, std::deque<MonoTime>>
        starts_;                  // by incarnation: when it was started, lately
    std::set<std::string> uids_;  // of every VM record ever committed
    std::set<std::string> gone_;  // uids of what was deleted: nothing is made twice
    std::map<std::string, MonoTime> deletions_asked_;      // when last, by "<project>/<name>"
    std::map<std::string, std::string> created_;           // idempotency key -> uid
    std::map<std::string, std::set<std::string>> labels_;  // acknowledged, by "<vm> <uid>"
    std::map<std::string, std::int64_t> restarts_asked_;   // by VM
    std::map<std::string, std::int64_t>
        restarts_before_;                         // by VM: of those of its name that are gone
    std::map<std::string, std::int64_t> epochs_;  // the highest, by uid
    std::set<std::string> failed_over_;           // "<uid> <new epoch>"
    std::int64_t second_ = 0;                     // of the last write
    std::size_t writes_ = 0;                      // in it
    std::map<std::string, LeaseEnd> lease_ends_;  // the last one, by host
    struct LeaseHeld {
        std::int64_t lease = 0;
        MonoTime since{};
    };
    std::map<std::string, LeaseHeld> leases_held_;    // by host
    std::map<std::string, MonoTime> watching_since_;  // by host: its daemon
    std::map<std::string, MonoTime> without_place_;
    std::map<std::string, MonoTime> grown_;  // by host: when the spec of a VM there last changed
    std::map<std::string, MonoTime> said_;   // by VM: when its status was last written
    std::map<std::string, MonoTime> spec_changed_;        // by VM
    std::map<std::string, model::Operation> operations_;  // as they were
    std::map<std::string, MonoTime> operations_since_;
    std::map<std::string, MonoTime> drained_since_;  // by host; absent: it is not drained
    std::deque<std::pair<MonoTime, store::Revision>> history_;  // what the store must have yet
    store::Revision compacted_ = 0;
    struct Stored {
        store::Revision created = 0, changed = 0;
        auto operator<=>(const Stored&) const = default;
    };
    std::map<std::string, Stored, std::less<>> stored_;  // by key: what there is
    std::set<std::string> beyond_;
    std::map<std::string, int> next_members_;  // by key: members that only the next version knows
    std::vector<EventLedger*> ledgers_;
    std::optional<std::string> failure_;
    std::uint64_t checks_ = 0;
};

}  // namespace blixard::sim
