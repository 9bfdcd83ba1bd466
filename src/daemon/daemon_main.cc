// blixard-daemon: the host's side. `blixard daemon` becomes this program; it is one of its own because it is linked with
// gRPC, and some fifty shared libraries would make every command line wait.
#include <climits>
#include <cstdio>
#include <string>
#include <unistd.h>
#include <vector>

#include "daemon/config.h"
#include "daemon/daemon.h"

namespace {

// The command line beside this program: what the watchdog, which outlives the daemon, is started from.
std::string command_path() {
    char path[PATH_MAX] = {};
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0) return "blixard";
    const std::string own(path, static_cast<std::size_t>(size));
    return own.substr(0, own.rfind('/')) + "/blixard";
}

}  // namespace

int main(int argc, char** argv) {
    // argv[1] is "daemon", as people typed it.
    const std::vector<std::string> arguments(argv + std::min(argc, 2), argv + argc);
    const blixard::Result<blixard::daemon::Config> config = blixard::daemon::parse_arguments(arguments);
    if (config) return blixard::daemon::run_daemon(*config, command_path());
    if (config.error().code == blixard::ErrorCode::kCancelled) {
        std::fputs(config.error().message.c_str(), stdout);
        return 0;
    }
    std::fprintf(stderr, "error: %s\n", config.error().message.c_str());
    if (!config.error().help.empty()) std::fprintf(stderr, "  help: %s\n", config.error().help.c_str());
    return 2;
}
