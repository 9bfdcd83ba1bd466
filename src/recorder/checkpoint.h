// Where a replay can begin: all that the control loops of one host know, at a quiet moment or
// before they start. A value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agent.h"
#include "base/log.h"
#include "base/result.h"
#include "controller/controller.h"
#include "hypervisor/hypervisor.h"
#include "view/snapshot.h"

namespace blixard::recorder {

// How far a daemon run had counted what it asked, posted and armed.
struct Counts {
    std::uint64_t calls = 0, posts = 0, timers = 0;
};

struct Checkpoint {
    std::string build;  // "0.1.0 a1b2c3d4"
    WallTime wall{};
    MonoTime mono{};
    agent::AgentSettings agent_settings;
    controller::ControllerSettings controller_settings;
    Counts counts;
    std::vector<hypervisor::Instance> instances;
    std::optional<agent::AgentState> agent;  // both absent: the daemon run begins here
    std::optional<controller::ControllerState> controller;
    view::SnapshotPtr state;
};

// The state without secrets. Any thread; as long as the state is large.
std::string checkpoint_bytes(const Checkpoint& checkpoint);
Result<Checkpoint> read_checkpoint(std::string_view bytes, Log& log);

}  // namespace blixard::recorder
