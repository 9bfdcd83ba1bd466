// blixard-bench control: the control plane against a real etcd of three members on this machine,
// with simulated hosts. README.md beside this says what each row means.
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "bench/api/process.h"
#include "bench/api/report.h"
#include "bench/commands.h"
#include "bench/control/bare_etcd.h"
#include "bench/control/control_daemon.h"
#include "bench/control/fleet.h"
#include "bench/options.h"
#include "store/etcd/etcd_cluster.h"
#include "store/etcd/etcd_store.h"

namespace blixard::bench {
namespace {

constexpr Millis kPatience = seconds(120);
// As the product starts its etcd, but for the time that it gives elections (etcd's own here), a
// larger quota, and snapshots twice as often.
const std::vector<std::string> kEtcdFlags = {"--pre-vote=true", "--snapshot-count=10000",
                                             "--quota-backend-bytes=8589934592",
                                             "--backend-batch-limit=1000"};

struct Size {
    std::int64_t hosts, burst, steady_per_s, steady_s, starts;
    std::vector<std::int64_t> views;
    Millis bare, leases;
    bool only_views;
};

double micros(Moment from, Moment to) {
    return std::chrono::duration<double, std::micro>(to - from).count();
}

Figures figures_of(const std::vector<Fleet::Times>& times, double seconds) {
    Figures figures;
    std::vector<double> waits;
    for (const auto& one : times) waits.push_back(micros(one.created, one.placed));
    std::ranges::sort(waits);
    if (waits.empty()) return figures;
    figures.requests = waits.size();
    figures.p50_us = waits[waits.size() / 2];
    figures.p99_us = waits[waits.size() * 99 / 100];
    figures.per_second = static_cast<double>(waits.size()) / seconds;
    return figures;
}

std::vector<std::string> names_of(const std::string& prefix, std::int64_t count) {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < count; ++i) names.push_back(fmt::format("{}-{:06}", prefix, i));
    return names;
}

double resident_mib() {
    std::ifstream status("/proc/self/statm");
    double total = 0, resident = 0;
    status >> total >> resident;
    return resident * 4096 / 1024 / 1024;
}

// CPU time used so far: a figure that a busy machine bends less than it bends times.
struct Used {
    double etcd_s = 0, controller_s = 0, fleet_s = 0, all_s = 0;

    Used operator-(const Used& before) const {
        return {etcd_s - before.etcd_s, controller_s - before.controller_s,
                fleet_s - before.fleet_s, all_s - before.all_s};
    }
};

Status gave_up(std::string_view what) {
    return fail(ErrorCode::kUnavailable, fmt::format("{} did not end in time", what));
}

class ControlBench {
 public:
    explicit ControlBench(Size size) : size_(std::move(size)) {}

    Status run() {
        report_.heading("3 etcd members with fsync on this machine, bare");
        fleet_ = std::make_unique<Fleet>(etcd_.endpoints());
        if (!fleet_->prepare()) return gave_up("etcd's start");
        if (size_.only_views) return measure_views();
        for (int clients : {1, 64})
            report_.add("etcd: single puts of 300 B", "grpc", clients,
                        bare_ = bare_puts(etcd_.endpoints(), clients, size_.bare));
        RETURN_IF_ERROR(measure_starts());
        RETURN_IF_ERROR(measure_placements());
        RETURN_IF_ERROR(measure_failover());
        first_.reset();
        second_.reset();
        fleet_->set_agents(false);
        return measure_views();
    }

    const Report& report() const { return report_; }

 private:
    // One real agent (with machines that are none) starts one VM after the other.
    Status measure_starts() {
        first_ = std::make_unique<ControlDaemon>(etcd_.endpoints(), "ctl-1", 4096);
        const auto warm = names_of("warm", 5);
        fleet_->create(warm);
        if (!fleet_->wait_for(warm, true, kPatience)) return gave_up("the first start");
        (void)fleet_->take_written();
        const auto names = names_of("start", size_.starts);
        for (const std::string& name : names) {
            fleet_->create({name});
            if (!fleet_->wait_for({name}, true, kPatience)) return gave_up("a start");
        }
        const Written written = fleet_->take_written();
        const auto vms = static_cast<double>(names.size());
        report_.heading("what one VM costs the store, from create to running, alone");
        report_.add("store transactions per VM start",
                    static_cast<double>(written.transactions) / vms, "");
        report_.add("store writes per VM start", static_cast<double>(written.puts) / vms, "keys");
        report_.add("store bytes per VM start", static_cast<double>(written.bytes) / vms, "B");
        report_.add("of them the placement with its reasons",
                    static_cast<double>(written.placement_bytes) / vms, "B");
        if (!fleet_->cordon("ctl-1")) return gave_up("the cordon");
        return {};
    }

    Status measure_placements() {
        if (!fleet_->add_hosts(size_.hosts)) return gave_up("the start of the hosts");
        report_.heading(fmt::format("{} hosts, each with its lease", size_.hosts));
        report_leases();
        report_.add("etcd: single puts of 300 B, beside the leases", "grpc", 64,
                    leased_ = bare_puts(etcd_.endpoints(), 64, size_.bare));
        fleet_->set_agents(false);
        RETURN_IF_ERROR(burst("burst", "placements, burst", true));
        RETURN_IF_ERROR(burst("again", "placements, burst", false));
        fleet_->set_agents(true);
        RETURN_IF_ERROR(burst("busy", "placements, burst, agents start them", false));
        return steady();
    }

    // What the hosts' leases cost, each renewed once a second, while nothing else happens.
    void report_leases() {
        const auto begin = std::chrono::steady_clock::now();
        const Used before = used();
        std::this_thread::sleep_for(std::chrono::milliseconds(size_.leases.count));
        const Used spent = used() - before;
        const double seconds = micros(begin, std::chrono::steady_clock::now()) / 1e6;
        report_.add("leases renewed once a second, etcd's three members",
                    100 * spent.etcd_s / seconds, "% of a core");
    }

    Used used() {
        Used used{.controller_s = first_ ? first_->cpu_seconds() : 0,
                  .fleet_s = fleet_->cpu_seconds(),
                  .all_s = cpu_seconds_of(::getpid())};
        for (int i = 0; i < etcd_.size(); ++i) used.etcd_s += cpu_seconds_of(etcd_.pid(i));
        return used;
    }

    void report_used(const Used& used, double placements) {
        const auto row = [&](const std::string& name, double seconds) {
            report_.add("  CPU a placement, " + name, seconds * 1e6 / placements, "us");
        };
        row("etcd's three members", used.etcd_s);
        row("the controller's loop", used.controller_s);
        row("the bench's hosts and creators", used.fleet_s);
        row("gRPC's threads of both", used.all_s - used.controller_s - used.fleet_s);
    }

    // All created in one moment.
    Status burst(const std::string& prefix, const std::string& row, bool warms_up) {
        const auto names = names_of(prefix, size_.burst);
        (void)fleet_->take_written();
        const Used before = used();
        fleet_->create(names);
        if (!fleet_->wait_for(names, false, kPatience)) return gave_up("a burst");
        const Used spent = used() - before;
        const auto times = fleet_->times(names);
        Moment begin = times.front().created, end = times.front().placed;
        for (const auto& one : times) end = std::max(end, one.placed);
        const Written written = fleet_->take_written();
        const Figures figures = figures_of(times, micros(begin, end) / 1e6);
        if (warms_up) return {};
        report_.add(row, "etcd", 1, figures);
        report_.add("  beside single puts from 64 clients", figures.per_second / bare_.per_second,
                    "x");
        report_.add("  beside the same while the hosts hold their leases",
                    figures.per_second / leased_.per_second, "x");
        report_.add(
            "  placements in one transaction",
            static_cast<double>(written.placements) /
                static_cast<double>(std::max<std::int64_t>(1, written.placement_transactions)),
            "");
        report_used(spent, static_cast<double>(names.size()));
        if (!fleet_->wait_for(names, false, kPatience)) return gave_up("a burst");
        return {};
    }

    Status steady() {
        const auto names = names_of("steady", size_.steady_per_s * size_.steady_s);
        const auto begin = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto due =
                begin + std::chrono::microseconds(1'000'000 * static_cast<std::int64_t>(i) /
                                                  size_.steady_per_s);
            std::this_thread::sleep_until(due);
            fleet_->create({names[i]});
        }
        if (!fleet_->wait_for(names, false, kPatience)) return gave_up("the steady load");
        report_.add(fmt::format("placements, {} creates/s, agents start them", size_.steady_per_s),
                    "etcd", 1,
                    figures_of(fleet_->times(names), static_cast<double>(size_.steady_s)));
        return {};
    }

    // The elected daemon is gone without a word, and VMs are created before another one is in
    // office.
    Status measure_failover() {
        second_ = std::make_unique<ControlDaemon>(etcd_.endpoints(), "ctl-2", 1);
        if (!fleet_->cordon("ctl-2")) return gave_up("the cordon");
        std::this_thread::sleep_for(std::chrono::seconds(2));
        fleet_->set_agents(false);
        const auto names = names_of("orphan", size_.burst);
        const auto begin = std::chrono::steady_clock::now();
        first_.reset();
        fleet_->create(names);
        if (!fleet_->wait_for(names, false, kPatience)) return gave_up("the failover");
        Moment first = Moment::max(), last = begin;
        for (const auto& one : fleet_->times(names)) {
            first = std::min(first, one.placed);
            last = std::max(last, one.placed);
        }
        report_.heading("the elected daemon dies");
        report_.add("until another one places VMs (lease TTL 4 s)", micros(begin, first) / 1e6,
                    "s");
        if (last == first) {
            report_.missing("placements of those that waited", "all came in one transaction");
            return {};
        }
        const double per_s = static_cast<double>(names.size() - 1) / (micros(first, last) / 1e6);
        report_.add("placements of those that waited", per_s, "per second");
        report_.add("  beside single puts from 64 clients", per_s / bare_.per_second, "x");
        return {};
    }

    Status measure_views() {
        for (const std::int64_t vms : size_.views) RETURN_IF_ERROR(measure_view(vms));
        return {};
    }

    // A daemon that starts beside so many VMs.
    Status measure_view(std::int64_t vms) {
        if (!fleet_->fill(fmt::format("fill{}-", vms), vms - filled_))
            return gave_up("the filling");
        filled_ = vms;
        ASSIGN_OR_RETURN(const BareRead bare, bare_read(etcd_.endpoint(0)));
        ::malloc_trim(0);  // what was read and thrown away
        const double before = resident_mib();
        LoopThread thread;
        NullLog log;
        std::unique_ptr<store::Store> store;
        std::unique_ptr<view::View> view;
        std::promise<bool> ready;
        const Used used_before = used();
        const auto begin = std::chrono::steady_clock::now();
        thread.run([&] {
            store = *store::EtcdStore::connect({.endpoints = etcd_.endpoints()}, thread.loop(),
                                               thread.loop(), log);
            view = std::make_unique<view::View>(*store, thread.loop(), thread.loop(), log);
            view->start([&](const Status& done) { ready.set_value(done.has_value()); });
        });
        const bool good = ready.get_future().get();
        const double seconds = micros(begin, std::chrono::steady_clock::now()) / 1e6;
        const Used spent = used() - used_before;
        const auto seen = view->current()->vms.size();
        report_.heading(fmt::format("a new daemon's view of {} VMs", seen));
        report_.add(fmt::format("etcd: {} keys in one answer, bare", bare.keys), bare.seconds, "s");
        report_.add(fmt::format("view catch-up, {} VMs", vms), seconds, "s");
        report_.add("  beside the bare read", seconds / bare.seconds, "x");
        report_.add("  CPU, etcd's three members", spent.etcd_s, "s");
        report_.add("  CPU, the daemon's loop", thread.cpu_seconds(), "s");
        report_.add("  CPU, the daemon in all", spent.all_s, "s");
        report_.add(fmt::format("view memory, {} VMs", vms), resident_mib() - before, "MiB");
        thread.run([&] {
            view.reset();
            store.reset();
        });
        thread.run([] {});
        return good ? Status{} : gave_up("the view");
    }

    const Size size_;
    Report report_;
    store::EtcdCluster etcd_{3, true, kEtcdFlags};
    std::unique_ptr<Fleet> fleet_;
    std::unique_ptr<ControlDaemon> first_, second_;
    Figures bare_, leased_;
    std::int64_t filled_ = 0;
};

Result<Size> size_of(const Options& options) {
    const bool quick = options.values.contains("quick");
    Size size;
    size.hosts = options.number("hosts", quick ? 10 : 1000);
    size.burst = options.number("burst", quick ? 50 : 5000);
    size.steady_per_s = options.number("steady", quick ? 50 : 300);
    size.steady_s = quick ? 1 : 5;
    size.starts = quick ? 5 : 100;
    ASSIGN_OR_RETURN(size.views,
                     options.counts("views", quick ? std::vector<std::int64_t>{100}
                                                   : std::vector<std::int64_t>{10'000, 100'000}));
    size.bare = quick ? Millis{200} : seconds(3);
    size.leases = quick ? Millis{200} : seconds(5);
    size.only_views = options.values.contains("only-views");
    return size;
}

}  // namespace

int control(Arguments arguments) {
    const auto options = parse_options(
        arguments, {"hosts", "burst", "steady", "views", "only-views", "quick", "json"});
    const auto size = options ? size_of(*options) : Result<Size>(fail(options.error()));
    if (!size) {
        std::fprintf(stderr, "blixard-bench control: %s\n", describe(size.error()).c_str());
        return 2;
    }
    if (std::system("command -v etcd >/dev/null") != 0) {
        std::fprintf(stderr,
                     "blixard-bench control: there is no etcd here; apt-get install etcd-server\n");
        return 1;
    }
    // In a daemon the control loop is the main thread, whose memory grows by 128 KiB at a time.
    // Here it isn't, and glibc would give it its own memory page by page: a quarter of the loop's
    // time.
    ::mallopt(M_ARENA_MAX, 1);
    ControlBench bench(*size);
    Status done = bench.run();
    if (done && !options->text("json").empty())
        done = bench.report().write_json(options->text("json"));
    if (done) return 0;
    std::fprintf(stderr, "blixard-bench control: %s\n", describe(done.error()).c_str());
    return 1;
}

}  // namespace blixard::bench
