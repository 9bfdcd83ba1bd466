// blixard-daemon: the host's side. `blixard daemon` becomes this program; it is one of its own
// because it is linked with gRPC, and some fifty shared libraries would make every command line
// wait.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "daemon/config.h"
#include "daemon/daemon.h"

int main(int argc, char** argv) {
    if (argc < 2 || argv[0][0] != '/') {
        std::fputs("blixard-daemon is started by: blixard daemon\n", stderr);
        return 2;
    }
    // argv[0] is the command line's path, argv[1] is "daemon", as people typed it.
    const std::vector<std::string> arguments(argv + std::min(argc, 2), argv + argc);
    const blixard::Result<blixard::daemon::Config> config =
        blixard::daemon::parse_arguments(arguments);
    if (config) return blixard::daemon::run_daemon(*config, argv[0]);
    if (config.error().code == blixard::ErrorCode::kCancelled) {
        std::fputs(config.error().message.c_str(), stdout);
        return 0;
    }
    std::fprintf(stderr, "error: %s\n", config.error().message.c_str());
    if (!config.error().field.empty())
        std::fprintf(stderr, "  field: %s\n", config.error().field.c_str());
    if (!config.error().help.empty())
        std::fprintf(stderr, "  help: %s\n", config.error().help.c_str());
    return 2;
}
