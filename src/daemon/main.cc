// blixard: the command line, the watchdog and the simulation. `daemon` hands over to blixard-daemon beside it.
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "cli/cli.h"
#include "hypervisor/qemu/watchdog.h"
#include "sim/sim.h"

namespace {

std::string own_directory() {
    char path[PATH_MAX] = {};
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0) return ".";
    const std::string own(path, static_cast<std::size_t>(size));
    return own.substr(0, own.rfind('/'));
}

// Only returns where there is no daemon to become.
int become_daemon(char** argv) {
    const std::string places[] = {own_directory() + "/blixard-daemon", own_directory() + "/../libexec/blixard/blixard-daemon"};
    for (const std::string& place : places) execv(place.c_str(), argv);
    std::fprintf(stderr, "error: %s cannot be started: %s\n  help: it belongs beside the blixard program; install both\n",
                 places[0].c_str(), std::strerror(errno));
    return 1;
}

int watchdog_main(const std::vector<std::string>& arguments) {
    if (arguments.size() == 2 && arguments[0] == "--dir") return blixard::hypervisor::run_watchdog(arguments[1]);
    std::fputs("usage: blixard watchdog --dir DIR   (started by the daemon)\n", stderr);
    return 2;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "daemon") return become_daemon(argv);
    if (verb == "watchdog") return watchdog_main({argv + 2, argv + argc});
    if (verb == "sim") return blixard::sim::run({argv + 2, argv + argc});
    return blixard::cli::run(argc, argv);
}
