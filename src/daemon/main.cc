// blixard: one program. `daemon` and `watchdog` are the host's side, everything else is the command line.
#include <climits>
#include <cstdio>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "cli/cli.h"
#include "daemon/config.h"
#include "daemon/daemon.h"
#include "hypervisor/qemu/watchdog.h"
#if __has_include("sim/sim.h")
#include "sim/sim.h"
#define BLIXARD_HAS_SIM
#endif

namespace {

// The path of this very program, for processes that outlive it.
std::string own_path() {
    char path[PATH_MAX] = {};
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string("blixard");
}

int daemon_main(const std::vector<std::string>& arguments) {
    const blixard::Result<blixard::daemon::Config> config = blixard::daemon::parse_arguments(arguments);
    if (config) return blixard::daemon::run_daemon(*config, own_path());
    if (config.error().code == blixard::ErrorCode::kCancelled) {
        std::fputs(config.error().message.c_str(), stdout);
        return 0;
    }
    std::fprintf(stderr, "error: %s\n", config.error().message.c_str());
    if (!config.error().help.empty()) std::fprintf(stderr, "  help: %s\n", config.error().help.c_str());
    return 2;
}

int watchdog_main(const std::vector<std::string>& arguments) {
    if (arguments.size() == 2 && arguments[0] == "--dir") return blixard::hypervisor::run_watchdog(arguments[1]);
    std::fputs("usage: blixard watchdog --dir DIR   (started by the daemon)\n", stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    const std::vector<std::string> rest(argv + std::min(argc, 2), argv + argc);
    if (verb == "daemon") return daemon_main(rest);
    if (verb == "watchdog") return watchdog_main(rest);
#ifdef BLIXARD_HAS_SIM
    if (verb == "sim") return blixard::sim::run(rest);
#endif
    return blixard::cli::run(argc, argv);
}
