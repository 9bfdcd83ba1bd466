// The fencing watchdog: a small process of its own that is the parent of every QEMU on this host.
//
// Why it exists. A host that cannot renew its lease must stop its fenced VMs before others may
// start them, even if the daemon hangs. So the deadline is kept here, in a process that does
// nothing else: no disk, no network, no lock that others hold, memory locked, real-time priority
// where permitted. It kills every fenced QEMU when the deadline (fed by the daemon, CLOCK_BOOTTIME)
// passes. Each fenced QEMU has a parent-death signal, so it cannot outlive the watchdog either.
//
// It outlives the daemon, which finds it again through DIR/watchdog.sock (messages of one JSON
// object; only root or the same user is answered). What may block (writing run.json and exit.json)
// is done by forked children, never by the watchdog itself. It ends by itself when it has neither a
// VM nor a daemon for a while.
//
//   daemon → watchdog                                          watchdog → daemon
//   {"type":"hello"}                                           {"type":"welcome", pid, deadline_ms,
//   fenced_at_ms, machines:[...]}
//   {"type":"feed", deadline_ms}
//   {"type":"spawn", request, directory, arguments, fenced,    {"type":"spawned", request, pid,
//   start} or
//    members, launch} + 3 fds: monitor, console, stderr        {"type":"refused", request, code,
//    message}
//                                                              {"type":"exited", directory, exit:
//                                                              (as exit.json)}
//                                                              {"type":"fenced", at_ms}
//   {"type":"quit"}                                            (ends, unless it has machines)
#pragma once

#include <string>

namespace blixard::hypervisor {

// Runs until there is nothing to watch. `directory` must exist. Returns the exit status of the
// process: 0 also where another watchdog has the directory already.
int run_watchdog(const std::string& directory);

inline constexpr const char* kWatchdogSocket = "watchdog.sock";
inline constexpr const char* kWatchdogLock = "watchdog.lock";

}  // namespace blixard::hypervisor
