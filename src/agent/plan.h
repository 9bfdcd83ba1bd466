// What an agent does next about one VM: a function from what is wanted, what is there, and what it
// remembers, to one step. Pure: time is a parameter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "hypervisor/hypervisor.h"
#include "model/vm.h"

namespace blixard::agent {

// A start that failed, of a VM that shall not be started again: until people ask anew.
struct GivenUp {
    std::string uid;
    std::int64_t generation = 0, restart_generation = 0;
};

// What the agent remembers of a VM between two looks. It is lost with the daemon; every rule below
// is right without it.
struct Memory {
    std::int64_t restarts = 0;                 // by the restart policy, since the last healthy time
    std::optional<MonoTime> start_not_before;  // backoff
    std::optional<MonoTime> running_since;
    std::optional<MonoTime> silent_since;  // the process lives, its monitor does not answer
    std::optional<GivenUp> given_up;
    std::string failure;         // why the last start failed, or why it has to be started again
    std::string stopped_by;      // how the last stop ended
    bool unhealthy = false;      // its health check has failed often enough
    bool files_missing = false;  // `failure` is that its image's files could not be had
};

enum class Step : std::uint8_t {
    kNone,
    kStart,
    kStop,  // ask the guest, then quit, then kill
    kKill,
    kPause,
    kResume,
    kForget,  // drop the exited instance
    kPurge,   // nothing of it may stay on this host: directory, logs
    kFinish,  // it is gone everywhere: delete its records
};

struct Wanted {
    const model::VmRecord* record = nullptr;  // null: the VM does not exist any more
    const model::Placement* placement = nullptr;
    const model::VmStatus* status = nullptr;  // as stored
    bool mine = false;                        // the placement names this host
    bool leftover = false;                    // this host has a directory of it
};

struct Decision {
    Step step = Step::kNone;
    // What the status shall say; absent: nothing to say (the VM is not ours to speak of).
    std::optional<model::Phase> phase;
    std::string message;
    std::optional<MonoTime> look_again;  // without waiting for a change
    bool count_restart = false;          // the step is a restart by policy: remember it
};

inline constexpr Millis kBackoffFirst = seconds(5);
inline constexpr Millis kBackoffMost = seconds(300);
inline constexpr Millis kHealthyAfter =
    seconds(600);  // the restart counter starts anew after so long a run
inline constexpr Millis kSilentMost =
    seconds(60);  // a monitor that is silent for longer counts as a failure

// 5 s, 10 s, 20 s ... 300 s: the wait before restart number `restarts` + 1.
Millis restart_backoff(std::int64_t restarts);

// `instance`: what the hypervisor has, null where nothing. `lease_held`: this host may run fenced
// VMs now.
Decision plan(const Wanted& wanted, const hypervisor::Instance* instance, const Memory& memory,
              bool lease_held, MonoTime now);

// "qemu ended by signal 9", "exit status 1: ...": for the status message.
std::string describe_exit(const hypervisor::Exit& exit);

}  // namespace blixard::agent
