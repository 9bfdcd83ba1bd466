#include "sim/world.h"

#include <fmt/format.h>

#include <csignal>
#include <memory>
#include <set>

#include "model/documents.h"
#include "model/keys.h"
#include "sim/checker.h"
#include "sim/kept_room.h"
#include "sim/newer_records.h"
#include "sim/operators.h"
#include "sim/refusals.h"
#include "sim/rules.h"
#include "sim/survey.h"
#include "sim/verdict.h"
#include "sim/view_check.h"

namespace blixard::sim {
namespace {

constexpr Millis kHealedWithin = seconds(1500);  // restart backoff is 300 s, a silent monitor 60 s
constexpr Millis kDrillWithin = seconds(400);
constexpr Millis kReserveAfter = seconds(60);  // not the usual five minutes: to be met more often
// More at one moment: something turns in a circle.
constexpr std::uint64_t kStepsPerInstant = 50'000;
constexpr std::int64_t kLookAtViewsEvery = 4'000;  // ms, one daemon each time
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
                              host_memory_mib(), plan_.world > 1 ? kReserveAfter : seconds(300),
                              plan_.seed % 2 == 0,
                              record_ ? &sinks_[fmt::format("h{}", i + 1)] : nullptr},
                i, plan_.seed * 100 + static_cast<std::uint64_t>(i) * 10,
                plan_.faults.clock ? drift : 0));
            SimHost& host = *hosts_.back();
            host.machines().set_troubled(plan_.faults.qemu);
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

    std::int64_t host_memory_mib() const {
        return plan_.crowded() ? kCrowdedMemoryMib : kHostMemoryMib;
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
        if (!drill_waits() || !drill_lists() || !drill_refusals() || !drill_kept_room() ||
            !drill_drain() || !drill_failover())
            return;
        if (!run_for(seconds(10))) return;
        // What has happened in the last moment is on its way.
        const auto have_all = [this] { return follower_.caught_up() && chooser_.caught_up(); };
        for (int looks = 0; looks < 20 && !have_all(); ++looks)
            if (!run_for(Millis{500})) return;
        if (!have_all())
            return checker_->broken("the client of the event stream never got all events");
        if (std::string silent = operators_.unanswered(); !silent.empty())
            return checker_->broken(std::move(silent));
        checker_->counted(operators_.history().size());
        if (std::string wrong_told = operators_.history().check(); !wrong_told.empty())
            checker_->broken(std::move(wrong_told));
    }

    // What people see of it at any host is what is.
    bool drill_lists() {
        trace_.add("", "drill: all lists");
        for (const auto& host : hosts_) {
            checker_->counted();
            operators_.vouch_for_the_living(*host);
            std::string wrong = what_is_listed_wrongly(*host, checker_->state());
            if (wrong.empty()) continue;
            checker_->broken(std::move(wrong));
            return false;
        }
        return true;
    }

    // What makes no sense, or not now, is refused.
    bool drill_refusals() {
        trace_.add("", "drill: what must be refused");
        SimHost& host = *hosts_[(plan_.seed + 2) % hosts_.size()];
        const auto silent = std::make_shared<std::set<std::string>>();
        for (api::Request& request : what_must_be_refused(checker_->state())) {
            const std::string what = fmt::format(
                "{} {} {}{}", request.method, request.path, request.body,
                request.query.empty() ? ""
                                      : fmt::format(" ({}={})", request.query.front().first,
                                                    request.query.front().second));
            silent->insert(what);
            checker_->counted();
            ask(host, std::move(request),
                [this, silent, what, name = host.name()](const api::Response& response) {
                    silent->erase(what);
                    if (response.status < 400 || response.status >= 500)
                        checker_->broken(
                            fmt::format("{} answers {} to {}", name, response.status, what));
                });
        }
        if (!run_for(seconds(5))) return false;
        if (!silent->empty())
            checker_->broken(
                fmt::format("{} does not answer to {}", host.name(), *silent->begin()));
        return silent->empty();
    }

    // Who waits for a VM's end, and for its start, is told in time; also by a daemon that had to
    // read the state anew meanwhile.
    bool drill_waits() {
        if (plan_.hosts < 2) return true;
        SimHost& reader = *hosts_[plan_.seed % hosts_.size()];
        const int subject = operators_.a_running_vm(reader.name());
        if (subject < 0) return true;
        trace_.add("", fmt::format("drill: waiting for {}", operators_.vm_name(subject)));
        const auto told = std::make_shared<bool>(false);
        const auto was_told = [told] { return *told ? "" : "who waits for a VM is not told"; };
        operators_.wait_for(static_cast<int>(plan_.seed % hosts_.size()), subject, "stopped",
                            [told] { *told = true; });
        reader.change_ways([](SimHost::Ways& ways) { ways.replies_cut += 1; });
        operators_.carry_out({.kind = ActKind::kVmStop,
                              .host = static_cast<int>((plan_.seed + 1) % hosts_.size()),
                              .subject = subject,
                              .dice = 1});
        const bool ended = comes_true("after an order to stop", [&] {
            const view::VmEntry* vm = operators_.vm_of(subject);
            return vm && vm->phase == model::Phase::kStopped ? "" : "it is not said to be stopped";
        });
        if (ended) {
            (void)backend_->compact(backend_->history().revision());
            checker_->compacted_by_others();
        }
        reader.change_ways([](SimHost::Ways& ways) { ways.replies_cut -= 1; });
        if (!ended || !comes_true("after the end of a VM", was_told)) return false;
        *told = false;
        operators_.carry_out({.kind = ActKind::kVmStart,
                              .host = static_cast<int>((plan_.seed + 2) % hosts_.size()),
                              .subject = subject});
        if (!run_for(seconds(2))) return false;
        operators_.wait_for(static_cast<int>(plan_.seed % hosts_.size()), subject, "running",
                            [told] { *told = true; });
        // It may have to wait: others took its room.
        const auto told_or_waits = [&] {
            const view::VmEntry* vm = operators_.vm_of(subject);
            return vm && vm->phase == model::Phase::kPending ? "" : was_told();
        };
        if (!comes_true("after an order to start", told_or_waits)) return false;
        // Who asks for a restart and waits is told of the new run, not of the one that ends.
        if (*told && plan_.world > 1) {
            *told = false;
            const int at = static_cast<int>((plan_.seed + 2) % hosts_.size());
            operators_.carry_out({.kind = ActKind::kVmRestart, .host = at, .subject = subject});
            if (!run_for(Millis{100})) return false;
            operators_.wait_for(at, subject, "running", [told] { *told = true; });
            if (!comes_true("after an order to restart", told_or_waits)) return false;
        }
        return comes_true("after the drill of waits",
                          [this] { return what_is_wrong(*checker_, hosts_, shared_); });
    }

    // Who has waited for long has its host kept free from those who come later, as long as it
    // waits. One host is kept at a time: only where nobody else waits.
    bool drill_kept_room() {
        if (plan_.world == 1 || plan_.hosts < 2 || anyone_waits()) return true;
        const int host = static_cast<int>(plan_.seed % hosts_.size()) / 3 * 3;
        const std::string& name = hosts_[static_cast<std::size_t>(host)]->name();
        trace_.add("", fmt::format("drill: {} is kept free", name));
        const auto create = [&](const char* vm, std::int64_t memory_mib, int priority) {
            operators_.create_named(
                host + 1, vm,
                fmt::format(R"("memory_mib":{},"priority":{},"constraints":{{"node":"{}"}})",
                            memory_mib, priority, name));
        };
        create("wide", host_memory_mib() * 13 / 16, 1000);
        if (!run_for(kReserveAfter + seconds(5))) return false;
        create("narrow", 64, 0);
        if (!run_for(seconds(10))) return false;
        if (waits_on("default/wide") && !waits_on("default/narrow")) {
            checker_->broken(fmt::format("{} is not kept free for a VM that waits for it", name));
            return false;
        }
        operators_.delete_named(host + 1, "wide");
        const bool good = comes_true("after a VM that had waited was deleted",
                                     [this] { return what_is_wrong(*checker_, hosts_, shared_); });
        operators_.delete_named(host + 1, "narrow");
        return good && comes_true("after the drill of a host that is kept free",
                                  [this] { return what_is_wrong(*checker_, hosts_, shared_); });
    }

    bool waits_on(const std::string& name) const {
        const view::VmEntry* vm = checker_->state().vms.find(name);
        return vm && waits(*vm);
    }
    bool anyone_waits() const {
        bool any = false;
        checker_->state().vms.for_each([&](const auto& vm) { any = any || waits(*vm); });
        return any;
    }

    // A healed cluster does its work: what a drained host can give away, it gives away.
    bool drill_drain() {
        if (plan_.hosts < 2) return true;
        const int host = static_cast<int>(plan_.seed % static_cast<std::uint64_t>(plan_.hosts));
        trace_.add("", fmt::format("drill: h{} is drained", host + 1));
        operators_.carry_out(
            {.kind = ActKind::kNodeDrain, .host = (host + 1) % plan_.hosts, .subject = host});
        const bool good = comes_true("after its drain", [this, host] {
            return who_could_leave(hosts_[static_cast<std::size_t>(host)]->name());
        });
        operators_.uncordon(host, 30);
        return good && comes_true("after the drill of a drain",
                                  [this] { return what_is_wrong(*checker_, hosts_, shared_); });
    }

    // A VM gets its place on a host that cannot ask for the store's consent to start it any more.
    bool place_late(std::size_t host) {
        for (int i = 0; i < plan_.hosts; ++i)
            if (i != static_cast<int>(host))
                operators_.carry_out({.kind = ActKind::kNodeCordon, .host = i, .subject = i});
        if (!run_for(seconds(1))) return false;
        hosts_[host]->change_ways([](SimHost::Ways& ways) { ways.requests_cut += 1; });
        operators_.create_named(static_cast<int>(host) + 1, "late", R"("memory_mib":64)");
        return run_for(Millis{1500});
    }

    // ... and what ran on a host that lost its power runs elsewhere, where it may. So does what
    // never ran there: nobody need be asked for that.
    bool drill_failover() {
        if (plan_.hosts < 2) return true;
        const std::size_t host = (plan_.seed + 1) % hosts_.size();
        if (!place_late(host)) return false;
        trace_.add("", fmt::format("drill: h{} loses its power", host + 1));
        hosts_[host]->powered = false;
        hosts_[host]->cut_power();
        hosts_[host]->change_ways([](SimHost::Ways& ways) { ways.requests_cut -= 1; });
        for (int i = 0; i < plan_.hosts; ++i)
            if (i != static_cast<int>(host)) operators_.uncordon(i, 30);
        const bool good = comes_true("after its power was cut", [this, host] {
            return who_should_have_left(hosts_[host]->name());
        });
        hosts_[host]->powered = true;
        hosts_[host]->start_daemon();
        return good && comes_true("after the drill of a failover",
                                  [this] { return what_is_wrong(*checker_, hosts_, shared_); });
    }

    // Runs until `what_is_wrong` says nothing any more.
    bool comes_true(std::string_view when, const std::function<std::string()>& what_is_wrong) {
        std::string wrong;
        for (std::int64_t waited_s = 0; waited_s < kDrillWithin.count / 1000; waited_s += 5) {
            if (!run_for(seconds(5))) return false;
            wrong = what_is_wrong();
            if (wrong.empty()) return true;
        }
        checker_->broken(fmt::format("{} s {}: {}", kDrillWithin.count / 1000, when, wrong));
        return false;
    }

    std::string who_could_leave(const std::string& host) {
        const view::Snapshot& state = checker_->state();
        const view::NodeEntry* node = state.nodes.find(host);
        if (!node || !node->spec || !node->spec->value.draining)
            return fmt::format("host {} is not said to drain", host);
        std::string who;
        bool others_wait = false;  // then room may be kept free for them
        state.vms.for_each([&](const auto& vm) {
            others_wait = others_wait || (vm->record && vm->node().empty() &&
                                          vm->record->value.spec.run != model::Run::kStopped);
        });
        if (others_wait) return who;
        state.for_each_vm_on(host, [&](const view::VmEntry& vm) {
            if (who.empty() && vm.record && could_go_elsewhere(state, vm))
                who = fmt::format("vm {} is still on {}, and could go elsewhere", vm.key, host);
            return true;
        });
        return who;
    }

    std::string who_should_have_left(const std::string& host) {
        const view::Snapshot& state = checker_->state();
        std::string who;
        state.for_each_vm_on(host, [&](const view::VmEntry& vm) {
            const bool may_have_run = vm.status && vm.placement &&
                                      vm.status->value.uid == vm.placement->value.uid &&
                                      vm.status->value.epoch == vm.placement->value.epoch;
            const bool stays = !vm.record || is_pinned(state, vm) ||
                               (vm.record->value.spec.ha == model::Ha::kNone && may_have_run);
            if (who.empty() && !stays)
                who = fmt::format("vm {} has its place on {} still", vm.key, host);
            return true;
        });
        return who;
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
            case ActKind::kVmSick:
                return host.machines().fall_ill(victim(act),
                                                act.dice / 1000 % 2 == 0 ? span : Millis{0});
            case ActKind::kVmPowersOff:
                return host.machines().end(victim(act),
                                           hypervisor::Exit{.status = 0, .guest_shutdown = true},
                                           "guest powers off");
            default: return;
        }
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
