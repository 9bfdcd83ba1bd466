#include "hypervisor/hypervisor.h"

namespace blixard::hypervisor {

std::string_view instance_state_name(InstanceState state) {
    switch (state) {
        case InstanceState::kStarting: return "starting";
        case InstanceState::kRunning: return "running";
        case InstanceState::kPaused: return "paused";
        case InstanceState::kStopping: return "stopping";
        case InstanceState::kExited: return "exited";
        case InstanceState::kUnknown: return "unknown";
    }
    return "unknown";
}

std::string_view stop_how_name(StopHow how) {
    switch (how) {
        case StopHow::kGuest: return "guest";
        case StopHow::kQuit: return "quit";
        case StopHow::kKilled: return "killed";
        case StopHow::kAlreadyGone: return "already-gone";
    }
    return "already-gone";
}

}  // namespace blixard::hypervisor
