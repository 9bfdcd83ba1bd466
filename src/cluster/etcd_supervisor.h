// Runs etcd as a child process and keeps it running. The store must outlive this daemon's restarts:
// etcd is started in a session of its own, writes its log to a file, and is found again by pid and
// start time; stopping the supervisor does not stop etcd.
//
// Threads: the loop's alone. Errors of a start that fails later are not lost: status() tells them,
// and the next try comes by itself (restart_delay).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/log.h"
#include "base/result.h"
#include "cluster/etcd_plan.h"
#include "os/event_loop.h"
#include "os/process.h"

namespace blixard::cluster {

// etcd's log never grows beyond this; one older part of it is kept beside it (.1).
inline constexpr std::uint64_t kEtcdLogBytesMax = 8u << 20;

struct EtcdStatus {
    bool running = false;
    os::ProcessId process;
    int restarts = 0;       // since this daemon started
    std::string last_exit;  // "exit status 1: <last log line>", empty: none seen
};

class EtcdSupervisor {
 public:
    // `directory` holds etcd.pid and etcd.log; it must exist. `loop` and `log` must outlive this.
    EtcdSupervisor(os::EventLoop& loop, Log& log, std::string directory, EtcdConfig config);
    ~EtcdSupervisor();  // etcd goes on
    EtcdSupervisor(const EtcdSupervisor&) = delete;
    EtcdSupervisor& operator=(const EtcdSupervisor&) = delete;

    // Adopts the etcd that runs already, else starts one. From now on it is restarted when it ends.
    Status start();

    // Ends etcd (SIGTERM, after `grace` SIGKILL) and does not start it again; `stopped` is called
    // when it has ended.
    void stop(Millis grace, std::function<void()> stopped);

    // Ends etcd gently; it is started again at once.
    void restart();

    // Called with the new etcd's status each time it was started or has ended.
    void on_change(std::function<void(const EtcdStatus&)> changed) {
        changed_ = std::move(changed);
    }

    const EtcdStatus& status() const { return status_; }
    const EtcdConfig& config() const { return config_; }

 private:
    bool adopt();
    Status spawn();
    void watch(os::UniqueFd pidfd);
    void on_exit();
    void schedule_restart();
    void bound_log();
    void ended();
    std::string pid_file() const { return directory_ + "/etcd.pid"; }
    std::string log_file() const { return directory_ + "/etcd.log"; }

    os::EventLoop& loop_;
    Log& log_;
    const std::string directory_;
    const EtcdConfig config_;
    std::function<void(const EtcdStatus&)> changed_;

    EtcdStatus status_;
    os::UniqueFd pidfd_;
    MonoTime started_at_{};
    int failures_in_a_row_ = 0;
    bool stopping_ = false;
    std::vector<std::function<void()>> stopped_;
    TimerId restart_timer_ = 0, kill_timer_ = 0, log_timer_ = 0;
};

// "PID START": the text of etcd.pid. Absent where it is damaged.
std::optional<os::ProcessId> parse_pid_file(std::string_view text);

}  // namespace blixard::cluster
