#include "sim/world.h"

#include <fmt/format.h>

#include <csignal>
#include <memory>
#include <set>

#include "model/documents.h"
#include "model/keys.h"
#include "recorder/record.h"
#include "sim/checker.h"
#include "sim/drills.h"
#include "sim/newer_records.h"
#include "sim/operators.h"
#include "sim/replay.h"
#include "sim/verdict.h"
#include "sim/view_check.h"

namespace blixard::sim {
namespace {

constexpr Millis kHealedWithin = seconds(1500);  // restart backoff is 300 s, a silent monitor 60 s
// More at one moment: something turns in a circle.
constexpr std::uint64_t kStepsPerInstant = 50'000;
constexpr std::int64_t kLookAtViewsEvery = 6'000;  // ms, one daemon each time
constexpr std::int64_t kDriftPpm =
    15'000;  // within the margin of an eighth and a sixteenth of the TTL

// What the second client of the event stream follows: one VM by its name, which others' begin with,
// all that happens in a project, or to its VMs.
Checker::EventLedger part_for(std::uint64_t seed) {
    if (seed % 3 == 0) return {.project = "default", .name = "vm-1"};
    if (seed % 3 == 1) return {.project = "lab"};
    return {.type = "vm.", .project = "lab"};
}

class World {
 public:
    World(const Plan& plan, bool keep, bool record)
        : plan_(plan),
          record_(record),
          timeline_(plan.seed ^ 0x5eed),
          trace_(timeline_, keep),
          backend_(std::make_shared<store::MemoryBackend>(timeline_, timeline_)),
          checker_(std::make_shared<Checker>(*backend_, timeline_, trace_)),
          operators_(plan_, timeline_, trace_, *checker_, hosts_),
          follower_(timeline_, trace_, *checker_, hosts_, *backend_, {}, plan.seed ^ 0xeee),
          chooser_(timeline_, trace_, *checker_, hosts_, *backend_, part_for(plan.seed),
                   plan.seed ^ 0xfff),
          newer_(timeline_, trace_, *backend_) {}

    ~World() {
        for (const auto& host : hosts_) host->on_daemon_gone = nullptr;
        hosts_.clear();
        timeline_.clear();
    }

    void take_records(Records& records) {
        for (auto& [host, sink] : sinks_) records[host] = std::move(sink.bytes);
    }

    Outcome run() {
        set_up();
        for (const Act& act : plan_.acts)
            timeline_.after(Millis{act.at_ms}, [this, &act] { carry_out(act); });
        const bool lived = run_for(plan_.span());
        if (lived) heal();
        Outcome outcome;
        outcome.failure = checker_->failure();
        outcome.failed_at_ms = timeline_.mono().ms;
        outcome.hash = trace_.hash();
        outcome.virtual_ms = timeline_.mono().ms;
        outcome.faults = faults_;
        outcome.orders = orders_;
        outcome.checks = checker_->checks();
        outcome.steps = timeline_.steps();
        outcome.failovers = failovers_;
        outcome.lines = trace_.lines();
        return outcome;
    }

 private:
    void put(std::string key, std::string value) {
        store::Transaction transaction;
        transaction.puts.push_back({std::move(key), std::move(value)});
        (void)backend_->commit(transaction);
    }

    void set_up() {
        backend_->add_listener(checker_);
        const model::Image image{.uid = "img",
                                 .files = {{.role = model::FileRole::kKernel, .sha256 = "k"}}};
        put(model::image_key("demo"), model::to_json(image));
        put(model::project_key("lab"),
            model::to_json(model::Project{
                .uid = "lab", .quota = {.vms = plan_.vms / 6 + 1, .memory_mib = plan_.vms * 70}}));
        SeededRandom clocks(plan_.seed + 77);
        const int per_host = plan_.vms / std::max(1, plan_.hosts);
        const std::int64_t size = std::max(1, (per_host + kVmsOnHost - 1) / kVmsOnHost);
        for (int i = 0; i < plan_.hosts; ++i) {
            const std::int64_t drift =
                static_cast<std::int64_t>(clocks.below(2 * kDriftPpm)) - kDriftPpm;
            hosts_.push_back(std::make_unique<SimHost>(
                SimHost::Deps{timeline_, trace_, *checker_, shared_, backend_, steps_, size,
                              memory_mib_of_host(plan_),
                              plan_.world > 1 ? kReserveAfter : seconds(300), plan_.seed % 2 == 0,
                              is_recorded(i) ? &sinks_[fmt::format("h{}", i + 1)] : nullptr},
                i, plan_.seed * 100 + static_cast<std::uint64_t>(i) * 10,
                plan_.faults.clock ? drift : 0));
            SimHost& host = *hosts_.back();
            host.machines().set_troubled(plan_.faults.qemu);
            host.machines().set_slow_to_be_well(plan_.world > 2);
            host.on_daemon_gone = [this, i] {
                follower_.host_gone(static_cast<std::size_t>(i));
                chooser_.host_gone(static_cast<std::size_t>(i));
            };
            host.start_daemon();
        }
        timeline_.after(seconds(2), [this] {
            follower_.start();
            chooser_.start();
        });
        look_at_views_later();
        for (int i = 0; i < kImages; ++i)
            timeline_.after(Millis{1900}, [this, i] {
                operators_.carry_out(
                    {.kind = ActKind::kImageCreate, .host = i % plan_.hosts, .subject = i});
            });
        timeline_.after(Millis{1900},
                        [this] { operators_.carry_out({.kind = ActKind::kProjectCreate}); });
        for (int i = 0; i < kVolumes; ++i)
            timeline_.after(Millis{2000 + 20 * i}, [this, i] {
                operators_.carry_out({.kind = ActKind::kVolumeCreate,
                                      .host = i % plan_.hosts,
                                      .subject = i,
                                      .dice = static_cast<std::uint64_t>(i)});
            });
        for (int i = 0; i < plan_.vms; ++i)
            timeline_.after(Millis{3000 + 40 * i},
                            [this, i] { operators_.create(i, i % plan_.hosts, 20); });
    }

    // All, where it was asked for; else one host in some runs, which are played in the end.
    bool is_recorded(int host) const {
        return record_ || (plan_.world > 2 && plan_.seed % 8 == 4 &&
                           host == static_cast<int>(plan_.seed / 8 % hosts_of(plan_)));
    }
    static std::uint64_t hosts_of(const Plan& plan) {
        return static_cast<std::uint64_t>(plan.hosts);
    }

    // What a daemon's flight recorder has kept is all that it decided from, and no secret.
    void play_records() {
        if (record_) return;
        for (const auto& [host, sink] : sinks_) {
            checker_->counted();
            const auto record = recorder::parse_record(sink.bytes);
            const auto played = record ? replay(*record) : Result<Replay>(fail(record.error()));
            if (!played)
                return checker_->broken(fmt::format("the record of {} cannot be played: {}", host,
                                                    describe(played.error())));
            if (!played->divergences.empty() || played->unknown_segments > 0)
                return checker_->broken(
                    fmt::format("the record of {} is not what was decided from:\n{}", host,
                                replay_text(*played)));
            if (sink.bytes.find(kSecret) != std::string::npos)
                return checker_->broken(fmt::format("the record of {} has a secret", host));
        }
    }

    // False: something is broken.
    bool run_for(Millis span) {
        const MonoTime end = timeline_.mono() + span;
        MonoTime at = timeline_.mono();
        std::uint64_t since = timeline_.steps();
        while (timeline_.mono() < end && !checker_->failure()) {
            if (!timeline_.step()) break;
            if (timeline_.mono() != at) {
                at = timeline_.mono();
                since = timeline_.steps();
            } else if (timeline_.steps() - since > kStepsPerInstant) {
                checker_->broken("time stands still: the daemons turn in a circle");
            }
        }
        return !checker_->failure();
    }

    void heal() {
        healing_ = true;
        failovers_ = checker_->state().failovers.size();
        trace_.add("", "healing");
        if (!backend_->running()) backend_->start();
        backend_->set_disk_full(false);
        for (const auto& host : hosts_) host->heal();
        newer_.take_all_back();
        for (int i = 0; i < plan_.hosts; ++i)
            timeline_.after(seconds(20), [this, i] { operators_.uncordon(i, 30); });
        std::string wrong = "not looked at yet";
        for (std::int64_t waited_s = 0; waited_s < kHealedWithin.count / 1000; waited_s += 5) {
            if (!run_for(seconds(5))) return;
            wrong = what_is_wrong(*checker_, hosts_, shared_);
            if (wrong.empty() && waited_s > 40) break;
        }
        if (!wrong.empty())
            return checker_->broken(
                fmt::format("{} s after the healing: {}", kHealedWithin.count / 1000, wrong));
        const auto run_on = [this](Millis span) { return run_for(span); };
        Drills drills({plan_, timeline_, trace_, *checker_, hosts_, operators_, newer_, shared_,
                       *backend_, run_on});
        if (!drills.run()) return;
        if (!run_for(seconds(10))) return;
        // What has happened in the last moment is on its way.
        const auto have_all = [this] { return follower_.caught_up() && chooser_.caught_up(); };
        for (int looks = 0; looks < 20 && !have_all(); ++looks)
            if (!run_for(Millis{500})) return;
        if (!have_all())
            return checker_->broken("the client of the event stream never got all events");
        if (std::string silent = operators_.unanswered(); !silent.empty())
            return checker_->broken(std::move(silent));
        play_records();
        checker_->counted(operators_.history().size());
        if (std::string wrong_told = operators_.history().check(); !wrong_told.empty())
            checker_->broken(std::move(wrong_told));
    }

    // What a daemon knows is what the store had at that revision: one daemon after the other.
    void look_at_views_later() {
        timeline_.after(Millis{kLookAtViewsEvery}, [this] {
            view_looked_at_ = (view_looked_at_ + 1) % hosts_.size();
            const view::View* const view = hosts_[view_looked_at_]->view();
            if (view) {
                checker_->counted();
                if (std::string wrong = what_is_wrong_with(*view->current(), backend_->history());
                    !wrong.empty())
                    checker_->broken(
                        fmt::format("the daemon of {} {}", hosts_[view_looked_at_]->name(), wrong));
            }
            look_at_views_later();
        });
    }

    SimHost& host_of(const Act& act) { return *hosts_[static_cast<std::size_t>(act.host)]; }

    // The VM that a fault strikes: one of those that run on the host.
    std::string victim(const Act& act) {
        std::vector<std::string> alive;
        for (const auto& [vm, machine] : host_of(act).machines().machines())
            if (machine.alive) alive.push_back(vm);
        return alive.empty() ? "" : alive[act.dice % alive.size()];
    }

    void later(Millis span, std::function<void()> task) {
        timeline_.after(span, [this, task = std::move(task)] {
            if (!healing_) task();
        });
    }

    void cut(const Act& act, void (*change)(SimHost::Ways&, int)) {
        SimHost& host = host_of(act);
        host.change_ways([change](SimHost::Ways& ways) { change(ways, +1); });
        later(Millis{act.span_ms}, [&host, change] {
            host.change_ways([change](SimHost::Ways& ways) { change(ways, -1); });
        });
    }

    void carry_out(const Act& act) {
        if (healing_) return;
        if (is_order(act.kind)) {
            ++orders_;
            return operators_.carry_out(act);
        }
        ++faults_;
        SimHost& host = host_of(act);
        const Millis span{act.span_ms};
        trace_.add(host.name(), fmt::format("FAULT {} for {} ms", act_name(act.kind), act.span_ms));
        switch (act.kind) {
            case ActKind::kHostCrash:
            case ActKind::kTornCrash:
                if (!host.powered) return;
                host.powered = false;
                host.cut_power();
                if (act.kind == ActKind::kTornCrash) host.machines().cut_power_and_tear(act.dice);
                return later(span, [this, &host] { power_on(host); });
            case ActKind::kNodeRemove:
                if (!host.powered || plan_.hosts < 2) return;
                host.powered = false;
                removed_.insert(host.name());
                host.cut_power();
                later(seconds(8), [this, &host, at = act.host] {
                    operators_.remove_node(at, 8, [&host] { host.wipe(); });
                });
                return later(span, [this, &host] {
                    removed_.erase(host.name());
                    power_on(host);
                });
            case ActKind::kDaemonKill: return host.kill_daemon_after(act.dice % 50, span);
            case ActKind::kDaemonPause: return host.pause_daemon(span);
            case ActKind::kWatchdogPause: return host.machines().pause_watchdog(span);
            case ActKind::kWatchdogKill: return host.machines().kill_watchdog();
            case ActKind::kCut:
                return cut(act, [](SimHost::Ways& ways, int by) {
                    ways.requests_cut += by;
                    ways.replies_cut += by;
                });
            case ActKind::kCutRequests:
                return cut(act, [](SimHost::Ways& ways, int by) { ways.requests_cut += by; });
            case ActKind::kCutReplies:
                return cut(act, [](SimHost::Ways& ways, int by) { ways.replies_cut += by; });
            case ActKind::kSlowLink:
                host.change_ways([&](SimHost::Ways& ways) {
                    ways.slow_ms = 20 + static_cast<std::int64_t>(act.dice % 900);
                });
                return cut(act, [](SimHost::Ways& ways, int by) { ways.slow += by; });
            case ActKind::kSlowWatch:
                host.change_ways([&](SimHost::Ways& ways) {
                    ways.watch_ms = 5 + static_cast<std::int64_t>(act.dice % 2500);
                });
                return cut(act, [](SimHost::Ways& ways, int by) { ways.watch_slow += by; });
            case ActKind::kVouchedWrongly:
                if (!host.powered || plan_.hosts < 2) return;
                checker_->beyond_assumptions(host.name());
                later(seconds(8), [this, at = act.host] { operators_.vouch(at); });
                return cut(act, [](SimHost::Ways& ways, int by) {
                    ways.requests_cut += by;
                    ways.replies_cut += by;
                });
            case ActKind::kDoubled:
                host.set_doubled(true);
                return later(span, [&host] { host.set_doubled(false); });
            case ActKind::kClientTrouble:
                host.set_clients_trouble(true);
                return later(span, [&host] { host.set_clients_trouble(false); });
            case ActKind::kClockWrong:
                checker_->beyond_assumptions(host.name());
                host.set_clock(-300'000 - static_cast<std::int64_t>(act.dice % 200'000));
                return later(span, [&host] { host.restore_clock(); });
            case ActKind::kUpgrade:
                host.set_next_version(act.dice % 2 == 0);
                return host.kill_daemon_after(act.dice % 50, span);
            case ActKind::kStoreLeader: disturb_all(); return backend_->change_leader();
            case ActKind::kStoreDown:
                backend_->stop();
                disturb_all();
                return later(span, [this] {
                    disturb_all();
                    backend_->start();
                });
            case ActKind::kStoreTrouble:
                host.set_store_trouble(true);
                return later(span, [&host] { host.set_store_trouble(false); });
            case ActKind::kStoreFull:
                backend_->set_disk_full(true);
                disturb_all();
                return later(span, [this] {
                    disturb_all();
                    backend_->set_disk_full(false);
                });
            case ActKind::kCompact:
                cut(act, [](SimHost::Ways& ways, int by) { ways.replies_cut += by; });
                return later(span / 2, [this] {
                    (void)backend_->compact(backend_->history().revision());
                    checker_->compacted_by_others();
                });
            case ActKind::kLeaseLost: {
                const view::NodeEntry* node = checker_->state().nodes.find(host.name());
                if (node && node->lease) end_lease(host, node->lease->value.lease);
                return;
            }
            case ActKind::kDiskFull:
                host.machines().set_disk_full(true);
                return later(span, [&host] { host.machines().set_disk_full(false); });
            case ActKind::kVmDies:
                return host.machines().end(victim(act), hypervisor::Exit{.signal = SIGSEGV},
                                           "crash");
            case ActKind::kVmHangs: return host.machines().hang(victim(act), span);
            case ActKind::kNewerRecord: return newer_.write(act, operators_.vm_of(act.subject));
            case ActKind::kVmSick: return fall_ill(act);
            case ActKind::kVmPowersOff:
                return host.machines().end(victim(act),
                                           hypervisor::Exit{.status = 0, .guest_shutdown = true},
                                           "guest powers off");
            default: return;
        }
    }

    // For good, for a while, or twice for a moment.
    void fall_ill(const Act& act) {
        SimMachines& machines = host_of(act).machines();
        const std::string vm = victim(act);
        if (act.dice / 1000 % 2 != 0) return machines.fall_ill(vm, Millis{0});
        if (plan_.world < 3 || act.dice / 2000 % 2 == 0)
            return machines.fall_ill(vm, Millis{act.span_ms});
        const Millis moment{3000 + static_cast<std::int64_t>(act.dice / 4000 % 1500)};
        machines.fall_ill(vm, moment);
        later(seconds(15), [&machines, vm, moment] { machines.fall_ill(vm, moment); });
    }

    void disturb_all() {
        for (const auto& host : hosts_) host->disturb();
    }

    void power_on(SimHost& host) {
        if (removed_.contains(host.name())) return;  // people have taken it away
        host.powered = true;
        host.start_daemon();
    }

    // A store never ends a lease early. What a host can see is its key gone, and its lease unknown:
    // after the time that the host itself grants to its VMs.
    void end_lease(SimHost& host, store::LeaseId lease) {
        cut(Act{.host = static_cast<int>(std::stoi(host.name().substr(1))) - 1, .span_ms = 6000},
            [](SimHost::Ways& ways, int by) { ways.requests_cut += by; });
        later(seconds(5), [this, lease] { (void)backend_->revoke_lease(lease); });
    }

    const Plan plan_;
    const bool record_;
    std::map<std::string, recorder::MemorySink> sinks_;
    Timeline timeline_;
    Trace trace_;
    SharedStorage shared_;
    view::Steps steps_;
    std::shared_ptr<store::MemoryBackend> backend_;
    std::shared_ptr<Checker> checker_;
    Hosts hosts_;
    Operators operators_;
    EventFollower follower_, chooser_;  // of all events, and of some
    NewerRecords newer_;
    std::uint64_t faults_ = 0, orders_ = 0, failovers_ = 0;
    std::size_t view_looked_at_ = 0;
    std::set<std::string> removed_;  // hosts that people have taken away for now
    bool healing_ = false;
};

}  // namespace

Outcome run_plan(const Plan& plan, bool keep_lines, Records* records) {
    World world(plan, keep_lines, records != nullptr);
    Outcome outcome = world.run();
    if (records) world.take_records(*records);
    return outcome;
}

}  // namespace blixard::sim
