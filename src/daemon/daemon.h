// One host: everything made, wired together, started and stopped in the right order. The only room
// that sees all others.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace blixard::daemon {

// Runs until SIGTERM or SIGINT. VMs go on when it ends. The exit status of the process.
int run_daemon(const Config& config, const std::string& program);

}  // namespace blixard::daemon
