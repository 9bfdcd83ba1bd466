// The server under measurement, in a process of its own.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace blixard::bench {

// User and system time that the process has used so far.
double cpu_seconds_of(pid_t process);

class ServerProcess {
 public:
    // Its output goes to `log_path`.
    static Result<ServerProcess> spawn(const std::vector<std::string>& arguments,
                                       const std::string& log_path);
    // A function of ours in a forked process, which never returns from it.
    static Result<ServerProcess> fork(const std::function<void()>& body);
    ServerProcess(ServerProcess&& other) noexcept;
    ~ServerProcess();  // SIGTERM, then after five seconds SIGKILL; waits

    bool alive() const;
    std::uint64_t resident_kib() const;
    double cpu_seconds() const { return cpu_seconds_of(pid_); }  // used so far

 private:
    explicit ServerProcess(pid_t pid) : pid_(pid) {}
    pid_t pid_;
};

// Runs a program to its end; its exit status, or -1.
int run_command(const std::vector<std::string>& arguments, const std::string& log_path);

}  // namespace blixard::bench
