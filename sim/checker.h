// What must hold after every step, seen from outside: from the store's committed changes and from
// the processes that really run. It asks no daemon.
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

#include "sim/sim_machines.h"
#include "sim/trace.h"
#include "store/memory/memory_backend.h"
#include "view/snapshot.h"

namespace blixard::sim {

class Checker final : public MachineWatcher, public store::MemoryBackend::Listener {
   public:
    Checker(const store::MemoryBackend& backend, const Clock& clock, Trace& trace) : backend_(backend), clock_(clock), trace_(trace) {}

    // The world's eyes.
    void on_revision() override;
    void on_process_start(const std::string& host, const Machine& machine) override;
    void on_process_end(const std::string& host, const Machine& machine, std::string_view why) override;
    void on_send(const std::string& host, const store::Transaction& transaction);

    // What operators did and were told.
    void delete_asked(const std::string& vm) { deletions_asked_.insert(vm); }
    void create_acknowledged(const std::string& vm, const std::string& uid);
    void label_acknowledged(const std::string& vm, const std::string& uid, const std::string& label);

    // An event stream that a client follows from now on; 0 revisions missed so far.
    struct EventLedger {
        std::deque<std::pair<store::Revision, int>> owed;  // revision, events still owed
    };
    void follow(EventLedger* ledger) { ledger_ = ledger; }
    void on_event(store::Revision revision);

    // True if no label that was acknowledged is missing now.
    void check_acknowledged();
    void broken(std::string what);  // the first one counts
    void counted(std::uint64_t n = 1) { checks_ += n; }

    const std::optional<std::string>& failure() const { return failure_; }
    std::uint64_t checks() const { return checks_; }
    const view::Snapshot& state() const { return state_; }
    const std::map<std::string, std::map<std::string, std::uint64_t>>& processes() const { return processes_; }

   private:
    void apply(store::Revision revision, const std::vector<store::Change>& changes);
    void check_vm(const std::string& vm, const view::VmEntry* before, const view::VmEntry* after);
    void check_placement(const view::VmEntry* before, const view::VmEntry& after);
    void check_room(const view::VmEntry& vm);
    void check_rules(const view::VmEntry& vm);
    void check_quota(const std::string& project);
    void check_failover(const view::FailoverEntry& failover);

    const store::MemoryBackend& backend_;
    const Clock& clock_;
    Trace& trace_;
    NullLog log_;
    view::Snapshot state_;
    store::Revision seen_ = 0;
    std::map<std::string, std::map<std::string, std::uint64_t>> processes_;  // by uid: host -> epoch
    std::set<std::string> uids_;                                             // of every VM record ever committed
    std::set<std::string> deletions_asked_;                                  // "<project>/<name>"
    std::map<std::string, std::set<std::string>> labels_;                    // acknowledged, by "<vm> <uid>"
    std::map<std::string, std::int64_t> epochs_;                             // the highest, by uid
    EventLedger* ledger_ = nullptr;
    std::optional<std::string> failure_;
    std::uint64_t checks_ = 0;
};

}  // namespace blixard::sim
