#include "sim/world.h"

#include <fmt/format.h>

#include <csignal>
#include <memory>

#include "model/documents.h"
#include "model/keys.h"
#include "sim/checker.h"
#include "sim/operators.h"
#include "sim/verdict.h"

namespace blixard::sim {
namespace {

constexpr Millis kHealedWithin = seconds(1500);   // restart backoff is 300 s, a silent monitor 60 s
constexpr std::uint64_t kStepsPerInstant = 50'000;  // more at one moment: something turns in a circle
constexpr std::int64_t kDriftPpm = 15'000;            // within the margin of an eighth and a sixteenth of the TTL

class World {
   public:
    World(const Plan& plan, bool keep)
        : plan_(plan),
          timeline_(plan.seed ^ 0x5eed),
          trace_(timeline_, keep),
          backend_(std::make_shared<store::MemoryBackend>(timeline_, timeline_)),
          checker_(std::make_shared<Checker>(*backend_, timeline_, trace_)),
          operators_(plan_, timeline_, trace_, *checker_, hosts_),
          follower_(timeline_, trace_, *checker_, hosts_, *backend_) {}

    ~World() {
        for (const auto& host : hosts_) host->on_daemon_gone = nullptr;
        hosts_.clear();
        timeline_.clear();
    }

    Outcome run() {
        set_up();
        for (const Act& act : plan_.acts) timeline_.after(Millis{act.at_ms}, [this, &act] { carry_out(act); });
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
        outcome.failovers = checker_->state().failovers.size();
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
        const model::Image image{.uid = "img", .files = {{.role = model::FileRole::kKernel, .sha256 = "k"}}};
        put(model::image_key("demo"), model::to_json(image));
        put(model::project_key("lab"),
            model::to_json(model::Project{.uid = "lab", .quota = {.vms = plan_.vms / 6 + 1, .memory_mib = plan_.vms * 70}}));
        SeededRandom clocks(plan_.seed + 77);
        for (int i = 0; i < plan_.hosts; ++i) {
            const std::string name = fmt::format("h{}", i + 1);
            put(model::node_key(name, "spec"), model::to_json(model::NodeSpec{.uid = name, .zone = fmt::format("z{}", i % 3), .overcommit = model::Overcommit::kNone}));
            const std::int64_t drift = static_cast<std::int64_t>(clocks.below(2 * kDriftPpm)) - kDriftPpm;
            hosts_.push_back(std::make_unique<SimHost>(SimHost::Deps{timeline_, trace_, *checker_, shared_, backend_}, name,
                                                       plan_.seed * 100 + static_cast<std::uint64_t>(i) * 10, plan_.faults.clock ? drift : 0));
            SimHost& host = *hosts_.back();
            host.machines().set_troubled(plan_.faults.qemu);
            host.on_daemon_gone = [this, i] { follower_.host_gone(static_cast<std::size_t>(i)); };
            host.start_daemon();
        }
        timeline_.after(seconds(2), [this] { follower_.start(); });
        for (int i = 0; i < plan_.vms; ++i)
            timeline_.after(Millis{3000 + 40 * i}, [this, i] { operators_.create(i, i % plan_.hosts, 20); });
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
        trace_.add("", "healing");
        if (!backend_->running()) backend_->start();
        backend_->set_disk_full(false);
        for (const auto& host : hosts_) host->heal();
        for (int i = 0; i < plan_.hosts; ++i)
            timeline_.after(seconds(20), [this, i] { operators_.uncordon(i, 30); });
        std::string wrong = "not looked at yet";
        for (std::int64_t waited_s = 0; waited_s < kHealedWithin.count / 1000; waited_s += 5) {
            if (!run_for(seconds(5))) return;
            wrong = what_is_wrong(*checker_, hosts_, shared_);
            if (wrong.empty() && waited_s > 40) break;
        }
        if (!wrong.empty()) return checker_->broken(fmt::format("{} s after the healing: {}", kHealedWithin.count / 1000, wrong));
        if (!run_for(seconds(10))) return;
        if (!follower_.caught_up()) return checker_->broken("the client of the event stream never got all events");
        checker_->check_acknowledged();
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
        later(Millis{act.span_ms}, [&host, change] { host.change_ways([change](SimHost::Ways& ways) { change(ways, -1); }); });
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
                if (!host.powered) return;
                host.powered = false;
                host.cut_power();
                return later(span, [&host] {
                    host.powered = true;
                    host.start_daemon();
                });
            case ActKind::kDaemonKill:
                return host.kill_daemon_after(act.dice % 50, span);
            case ActKind::kDaemonPause: return host.pause_daemon(span);
            case ActKind::kWatchdogPause: return host.machines().pause_watchdog(span);
            case ActKind::kWatchdogKill: return host.machines().kill_watchdog();
            case ActKind::kCut:
                return cut(act, [](SimHost::Ways& ways, int by) {
                    ways.requests_cut += by;
                    ways.replies_cut += by;
                });
            case ActKind::kCutRequests: return cut(act, [](SimHost::Ways& ways, int by) { ways.requests_cut += by; });
            case ActKind::kCutReplies: return cut(act, [](SimHost::Ways& ways, int by) { ways.replies_cut += by; });
            case ActKind::kSlowLink: return cut(act, [](SimHost::Ways& ways, int by) { ways.slow += by; });
            case ActKind::kStoreLeader: return backend_->change_leader();
            case ActKind::kStoreDown:
                backend_->stop();
                return later(span, [this] { backend_->start(); });
            case ActKind::kStoreTrouble:
                host.set_store_trouble(true);
                return later(span, [&host] { host.set_store_trouble(false); });
            case ActKind::kStoreFull:
                backend_->set_disk_full(true);
                return later(span, [this] { backend_->set_disk_full(false); });
            case ActKind::kCompact:
                cut(act, [](SimHost::Ways& ways, int by) { ways.replies_cut += by; });
                return later(span / 2, [this] { (void)backend_->compact(backend_->history().revision()); });
            case ActKind::kLeaseLost: {
                const view::NodeEntry* node = checker_->state().nodes.find(host.name());
                if (node && node->lease) end_lease(host, node->lease->value.lease);
                return;
            }
            case ActKind::kDiskFull:
                host.machines().set_disk_full(true);
                return later(span, [&host] { host.machines().set_disk_full(false); });
            case ActKind::kVmDies:
                return host.machines().end(victim(act), hypervisor::Exit{.signal = SIGSEGV}, "crash");
            case ActKind::kVmHangs: return host.machines().hang(victim(act));
            case ActKind::kVmPowersOff:
                return host.machines().end(victim(act), hypervisor::Exit{.status = 0, .guest_shutdown = true}, "guest powers off");
            default: return;
        }
    }

    // A store never ends a lease early. What a host can see is its key gone, and its lease unknown:
    // after the time that the host itself grants to its VMs.
    void end_lease(SimHost& host, store::LeaseId lease) {
        cut(Act{.host = static_cast<int>(std::stoi(host.name().substr(1))) - 1, .span_ms = 6000},
            [](SimHost::Ways& ways, int by) { ways.requests_cut += by; });
        later(seconds(5), [this, lease] { (void)backend_->revoke_lease(lease); });
    }

    const Plan plan_;
    Timeline timeline_;
    Trace trace_;
    SharedStorage shared_;
    std::shared_ptr<store::MemoryBackend> backend_;
    std::shared_ptr<Checker> checker_;
    Hosts hosts_;
    Operators operators_;
    EventFollower follower_;
    std::uint64_t faults_ = 0, orders_ = 0;
    bool healing_ = false;
};

}  // namespace

Outcome run_plan(const Plan& plan, bool keep_lines) {
    World world(plan, keep_lines);
    return world.run();
}

}  // namespace blixard::sim
