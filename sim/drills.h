// What a healed cluster is made to do, so that it is met in every run: each drill asks for
// something, and says what must come of it. Nothing is broken meanwhile but what the drill itself
// breaks.
//
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/newer_records.h"
#include "sim/operators.h"

namespace blixard::sim {

// Who has waited for so long has a host kept free. Not the usual five minutes: to be met more
// often.
inline constexpr Millis kReserveAfter = seconds(60);

class Drills {
 public:
    struct Deps {
        const Plan& plan;
        Timeline& timeline;
        Trace& trace;
        Checker& checker;
        Hosts& hosts;
        Operators& operators;
        NewerRecords& newer;
        const SharedStorage& shared;
        store::MemoryBackend& backend;
        std::function<bool(Millis)> run_for;  // false: something is broken
    };
    explicit Drills(const Deps& deps)
        : plan_(deps.plan),
          timeline_(deps.timeline),
          trace_(deps.trace),
          checker_(deps.checker),
          hosts_(deps.hosts),
          operators_(deps.operators),
          newer_(deps.newer),
          shared_(deps.shared),
          backend_(deps.backend),
          run_for_(deps.run_for) {}

    // False: something is broken.
    bool run();

 private:
    bool waits_are_told();
    bool lists();
    bool refusals();
    bool kept_room();
    bool drain();
    bool failover();
    bool vouched_for(int host);
    void uncordon_all_but(int host);
    bool nobody_is_homeless(const std::map<std::string, std::int64_t>& epochs);
    bool in_time_after_its_loss(const std::string& host);
    bool cut_off_while_it_starts_one(int host);
    bool company_on_its_way();
    bool outside_of_domains();
    bool rebalances();
    void stop_who_is_moved(bool& stopped, int& subject);
    int one_with_room_for_two() const;
    std::string pen_two_on(int host);
    bool open_pen(const std::string& drained, const std::string& other);
    bool mark_pen(const std::string& node, std::string_view label);
    bool controller_begins_anew(int drained);
    bool room_for_who_must_leave(const std::string& drained, const std::string& other);
    bool place_late(std::size_t host);
    bool orders();
    bool writes();
    bool to_the_last_of_a_quota();
    bool patience_is_kept(int host);
    bool listed(int host, int vms_at_rest);
    bool keys_of_requests();
    bool what_is_in_use();
    bool reads_anew();
    bool start_after_an_end();
    bool illness();
    bool start_that_failed();
    bool members_are_changed(int host);
    bool taken_while_it_goes(int host, int slow);
    bool volume_of_a_paused_vm();
    bool what_nobody_can_read();
    bool disk_that_stays_for_now();
    bool room_that_is_given_up();
    bool who_makes_no_way();

    // Runs until `what_is_wrong` says nothing any more.
    bool comes_true(std::string_view when, const std::function<std::string()>& what_is_wrong);
    bool all_is_well(std::string_view when);
    std::string who_could_leave(const std::string& host);
    std::string who_should_have_left(const std::string& host);
    bool waits_on(const std::string& vm) const;
    bool anyone_waits() const;
    std::shared_ptr<const view::NodeEntry> emptiest() const;
    api::Request new_quota(std::string_view limits) const;
    // The first of those that run, another one with each seed; -1: none.
    int first(const std::function<bool(const view::VmEntry&)>& wanted) const;
    bool asked_at_once(int host, std::vector<api::Request> requests, bool good = true);
    SimHost& host_of(const view::VmEntry& vm) const {
        for (const auto& host : hosts_)
            if (host->name() == vm.node()) return *host;
        return *hosts_.front();
    }
    // Of a host: another one with each seed, and with each `more`.
    int index(std::uint64_t more) const {
        return static_cast<int>((plan_.seed + more) % hosts_.size());
    }

    const Plan& plan_;
    Timeline& timeline_;
    Trace& trace_;
    Checker& checker_;
    Hosts& hosts_;
    Operators& operators_;
    NewerRecords& newer_;
    const SharedStorage& shared_;
    store::MemoryBackend& backend_;
    const std::function<bool(Millis)> run_for_;
};

}  // namespace blixard::sim
