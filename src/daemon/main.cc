// blixard: the command line, the watchdog and the simulation. `daemon` hands over to blixard-daemon
// beside it.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "cli/cli.h"
#include "hypervisor/qemu/watchdog.h"
#include "sim/sim.h"

namespace {

std::string own_path() {
    char path[PATH_MAX] = {};
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : std::string("./blixard");
}

// Only returns where there is no daemon to become. argv[0] tells the daemon where the command line
// is: the watchdog, which outlives both, is started from it.
int become_daemon(char** argv) {
    std::string self = own_path();
    const std::string directory = self.substr(0, self.rfind('/'));
    argv[0] = self.data();
    const std::string places[] = {directory + "/blixard-daemon",
                                  directory + "/../libexec/blixard/blixard-daemon"};
    for (const std::string& place : places) execv(place.c_str(), argv);
    std::fprintf(stderr,
                 "error: %s cannot be started: %s\n  help: it belongs beside the blixard program; "
                 "install both\n",
                 places[0].c_str(), std::strerror(errno));
    return 1;
}

int watchdog_main(const std::vector<std::string>& arguments) {
    if (arguments.size() == 2 && arguments[0] == "--dir")
        return blixard::hypervisor::run_watchdog(arguments[1]);
    std::fputs("usage: blixard watchdog --dir DIR   (started by the daemon)\n", stderr);
    return 2;
}

// A program that is started without its standard files (2>&-) would get the next file it opens in
// their place: a daemon's store, with its log written into it.
void open_standard_files() {
    int descriptor = 0;
    while (descriptor >= 0 && descriptor <= STDERR_FILENO) descriptor = open("/dev/null", O_RDWR);
    if (descriptor > STDERR_FILENO) close(descriptor);
}

}  // namespace

int main(int argc, char** argv) {
    open_standard_files();
    const std::string_view verb = argc > 1 ? argv[1] : "";
    if (verb == "daemon") return become_daemon(argv);
    if (verb == "watchdog") return watchdog_main({argv + 2, argv + argc});
    if (verb == "sim") return blixard::sim::run({argv + 2, argv + argc});
    return blixard::cli::run(argc, argv);
}
