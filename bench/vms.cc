// What the driver adds to bare QEMU: the same command line started both ways, side by side, in
// turns.
#include <sys/epoll.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "bench/commands.h"
#include "hypervisor/qemu/qemu_hypervisor.h"
#include "os/host_facts.h"
#include "os/temp_dir.h"
#include "os/unix_socket.h"

namespace blixard::bench {
namespace {

using namespace hypervisor;

struct Options {
    std::string guest = "build/guest", blixard = "build/blixard";
    int rounds = 5;
    bool ready = true;  // wait for user space too
};

struct Series {
    const char* name;
    std::vector<double> ms;

    void print() const {
        if (ms.empty()) return;
        std::vector<double> sorted = ms;
        std::sort(sorted.begin(), sorted.end());
        std::printf("  %-44s %9.1f %9.1f %9.1f\n", name, sorted.front(), sorted[sorted.size() / 2],
                    sorted.back());
    }
};

double now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

Launch launch_of(const Options& options, const std::string& name) {
    Launch launch;
    launch.id = {"bench/" + name, "uid-" + name, 1};
    launch.spec.memory_mib = 96;
    launch.kernel = options.guest + "/vmlinuz";
    launch.initrd = options.guest + "/initrd";
    launch.command_line = "console=ttyS0 quiet blixard.name=" + name;
    return launch;
}

class Host {
 public:
    explicit Host(const Options& options) : options_(options) {
        QemuConfig config;
        config.directory = dir_.path() + "/vms";
        config.watchdog_command = {options.blixard, "watchdog", "--dir", config.directory};
        config.node = "bench";
        config.control_group = "blixard-bench";
        driver_ = std::make_unique<QemuHypervisor>(loop_, log_, config);
        bool ready = false;
        driver_->recover([&](auto) { ready = true; });
        loop_.run_until([&] { return ready; }, seconds(20));
    }
    ~Host() {
        driver_->quit_watchdog();
        driver_.reset();
        loop_.run_until(
            [&] { return os::lock_file(dir_.path() + "/vms/watchdog.lock").has_value(); },
            seconds(5));
    }

    bool driven(int round) {
        const Launch launch = launch_of(options_, "driven-" + std::to_string(round));
        const double began = now_ms();
        std::optional<Result<Instance>> up;
        driver_->start(launch, [&](auto result) { up = std::move(result); });
        loop_.run_until([&] { return up.has_value(); }, seconds(120));
        if (!up || !*up) return complain(up ? describe(up->error()) : "no answer");
        running_.ms.push_back(now_ms() - began);
        if (options_.ready && !wait_ready(dir_.path() + "/vms/" + launch.id.uid, began, ready_))
            return false;
        const double asked = now_ms();
        std::optional<Result<StopHow>> how;
        const auto stopped = [&](auto result) { how = std::move(result); };
        if (options_.ready)
            driver_->stop(launch.id, seconds(60), stopped);
        else
            driver_->kill(launch.id, stopped);
        loop_.run_until([&] { return how.has_value(); }, seconds(120));
        if (how && *how && **how == StopHow::kGuest) stop_.ms.push_back(now_ms() - asked);
        driver_->forget(launch.id);
        return true;
    }

    bool bare(int round) {
        PreparationInput input;
        input.launch = launch_of(options_, "bare-" + std::to_string(round));
        input.directory = dir_.path() + "/vms/" + input.launch.id.uid;
        input.host.tsc_khz = os::measure_tsc_khz();
        input.cgroups = &no_groups_;
        auto prepared = prepare(input);
        if (!prepared) return complain(describe(prepared.error()));
        os::SpawnOptions spawn;
        spawn.arguments = prepared->arguments;
        spawn.directory = input.directory;
        spawn.passed_fds = {{prepared->monitor.get(), 3}, {prepared->console.get(), 4}};
        spawn.error_fd = prepared->errors.get();
        const double began = now_ms();
        auto child = os::spawn(spawn);
        if (!child) return complain(describe(child.error()));
        auto monitor = std::make_shared<QmpConnection>(
            loop_,
            *os::connect_unix(input.directory + "/" + kMonitorSocket, os::SocketKind::kStream));
        bool up = false, gone = false;
        monitor->open(
            seconds(60), [](const QmpMessage&) {}, [&](const Error&) { gone = true; },
            [&](Result<bool>) {
                monitor->execute("query-status", "", seconds(60),
                                 [&](Result<std::string>) { up = true; });
            });
        loop_.run_until([&] { return up || gone; }, seconds(120));
        bare_running_.ms.push_back(now_ms() - began);
        if (options_.ready && !wait_ready(input.directory, began, bare_ready_)) return false;
        const double asked = now_ms();
        monitor->execute(options_.ready ? "system_powerdown" : "quit", "", seconds(60),
                         [](Result<std::string>) {});
        os::wait_for(child->pidfd.get());
        if (options_.ready) bare_stop_.ms.push_back(now_ms() - asked);
        monitor->close();
        return true;
    }

    void print() const {
        std::printf("  %-44s %9s %9s %9s\n", "milliseconds", "least", "median", "most");
        for (const Series* series :
             {&bare_running_, &running_, &bare_ready_, &ready_, &bare_stop_, &stop_})
            series->print();
    }

 private:
    bool wait_ready(const std::string& directory, double began, Series& into) {
        ConsoleLog log(directory);
        std::function<void()> look = [&] {
            loop_.after(Millis{5}, look);
        };  // so that the log is looked at
        const TimerId first = loop_.after(Millis{5}, look);
        const bool seen =
            loop_.run_until([&] { return log.has(" ready", WallTime{0}); }, seconds(120));
        loop_.cancel(first);
        look = [] {};
        loop_.run_until([] { return false; }, Millis{10});
        if (!seen) return complain("the guest did not get ready");
        into.ms.push_back(now_ms() - began);
        return true;
    }
    static bool complain(const std::string& why) {
        std::fprintf(stderr, "blixard-bench vms: %s\n", why.c_str());
        return false;
    }

    const Options options_;
    const os::TempDir dir_;
    NullLog log_;
    os::EventLoop loop_;
    const os::Cgroups no_groups_;
    std::unique_ptr<QemuHypervisor> driver_;
    Series bare_running_{"bare QEMU: exec to QMP running", {}},
        running_{"driver: start() to running (disks, records too)", {}},
        bare_ready_{"bare QEMU: exec to user space", {}},
        ready_{"driver: start() to user space", {}},
        bare_stop_{"bare QEMU: power button to exit", {}},
        stop_{"driver: stop() to its answer", {}};
};

}  // namespace

int vms(Arguments arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const bool value = i + 1 < arguments.size();
        if (arguments[i] == "--no-guests")
            options.ready = false;
        else if (arguments[i] == "--guest" && value)
            options.guest = arguments[++i];
        else if (arguments[i] == "--blixard" && value)
            options.blixard = arguments[++i];
        else if (arguments[i] == "--rounds" && value)
            options.rounds = std::atoi(arguments[++i].c_str());
        else
            return 2;
    }
    for (std::string* path : {&options.guest, &options.blixard}) {
        if (char* const whole = ::realpath(path->c_str(), nullptr)) {
            *path = whole;
            std::free(whole);
        }
    }
    Host host(options);
    for (int round = 0; round < options.rounds; ++round) {
        if (!host.bare(round) || !host.driven(round)) return 1;
    }
    host.print();
    return 0;
}

}  // namespace blixard::bench
