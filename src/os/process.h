// Processes: started from argument vectors (never a shell), named by pid and start time, held by
// pidfd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "os/unique_fd.h"

namespace blixard::os {

// A pid is reused; a pid with its start time (field 22 of /proc/<pid>/stat, in clock ticks since
// boot) is not.
struct ProcessId {
    pid_t pid = 0;
    std::uint64_t start = 0;

    bool operator==(const ProcessId&) const = default;
};

// What /proc/<pid>/stat says. Absent where there is no such process.
struct ProcessStat {
    char state = '?';
    pid_t parent = 0;
    double cpu_seconds = 0;  // user and system, all threads
    std::uint64_t resident_bytes = 0;
    std::uint64_t start = 0;
};
std::optional<ProcessStat> process_stat(pid_t pid);
std::optional<ProcessStat> parse_process_stat(std::string_view line);  // pure

// A pidfd of exactly this process; kNotFound where it has ended (a zombie has ended too) or its pid
// is another's now.
Result<UniqueFd> open_process(ProcessId id);
bool process_lives(ProcessId id);

// Sends a signal through a pidfd: it cannot hit another process. Succeeds where the process is gone
// already.
Status send_signal(int pidfd, int signal);

struct SpawnOptions {
    std::vector<std::string>
        arguments;  // the first one is the program, looked for in PATH where it has no slash
    std::string directory;                             // to run in; empty: this one's
    int input_fd = -1, output_fd = -1, error_fd = -1;  // -1: /dev/null
    std::vector<std::pair<int, int>>
        passed_fds;  // {ours, its number in the child}; all others are closed
    // A control group of version 2 that the child is born in: its directory; empty: this one's. To
    // move a process that is there makes it wait for all processors (8 to 16 ms), and other forks
    // with it. As with before_exec, spawn()'s caller must be a single-threaded process.
    std::string cgroup;
    bool new_session = false;
    int parent_death_signal = 0;  // sent to it when the THREAD that spawns ends; 0: none

    // Runs in the child between fork and exec; on failure the program is not started. The caller of
    // spawn() must then be a single-threaded process, for this runs as ordinary code after fork.
    std::function<Status(ProcessId self)> before_exec;
};

struct Child {
    ProcessId id;
    UniqueFd pidfd;
    UniqueFd started_fd;  // start_spawn() only: see there
};

// Forks and returns at once; `started_fd` becomes readable when the program runs (end of file) or
// could not be started; then finish_spawn() says which, and reaps a child that could not.
Result<Child> start_spawn(const SpawnOptions& options);
Status finish_spawn(Child& child, const std::string& program);

// The two in a row: the program runs when this returns.
Result<Child> spawn(const SpawnOptions& options);

// How a child ended. One of the two is set.
struct ExitStatus {
    std::optional<int> status;
    std::optional<int> signal;
};
std::string describe(const ExitStatus& exit);  // "exit status 1", "signal 9 (Killed)"

// Reaps a child that has ended; absent where it has not (or is not ours). Never waits.
std::optional<ExitStatus> reap(int pidfd);
ExitStatus wait_for(int pidfd);  // waits without limit

// The program's path by PATH; kNotFound with the package that would help where known.
Result<std::string> find_program(const std::string& name);

}  // namespace blixard::os
