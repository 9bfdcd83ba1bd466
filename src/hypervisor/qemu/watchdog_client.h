// The daemon's end of the watchdog: finds the one that runs, or starts one, and stays connected.
//
// Threads: the loop's. When the connection is lost it connects (and starts a watchdog) again by
// itself, feeds the last deadline and calls on_welcome.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "hypervisor/qemu/records.h"
#include "os/event_loop.h"
#include "os/process.h"
#include "os/unix_socket.h"

namespace blixard::hypervisor {

class WatchdogClient {
 public:
    struct Handler {
        // Connected: these processes (by VM directory) are the watchdog's children now.
        std::function<void(const std::map<std::string, os::ProcessId>&)> on_welcome;
        std::function<void(const std::string& directory, const ExitRecord&)> on_exited;
        std::function<void(MonoTime)> on_fenced;
    };
    struct Spawn {
        std::string directory;
        std::vector<std::string> arguments;
        std::vector<std::string> members;  // control group files to join
        std::string launch;                // the launch record, JSON
        bool fenced = false;
        int monitor_fd = -1, console_fd = -1, error_fd = -1;
    };

    // `directory` holds the watchdog's socket; `command` starts one for it.
    WatchdogClient(os::EventLoop& loop, Log& log, std::string directory,
                   std::vector<std::string> command, Handler handler);
    ~WatchdogClient();

    void connect();

    // The program runs and its run record is durable. kUnknownOutcome: the watchdog was lost
    // meanwhile; look at the run record after the next welcome.
    void spawn(const Spawn& request, Callback<os::ProcessId> done);

    void feed(MonoTime deadline);

    // Asks it to end; it does so only where it has no VM.
    void quit();

 private:
    void try_connect();
    void start_watchdog();
    void receive();
    void lost();
    void welcome(const class JsonFields& fields);
    void answered(std::int64_t request, Result<os::ProcessId> result);

    os::EventLoop& loop_;
    Log& log_;
    const std::string directory_;
    const std::vector<std::string> command_;
    const Handler handler_;
    os::UniqueFd socket_;
    os::Child process_;  // where we started it
    std::map<std::int64_t, Callback<os::ProcessId>> pending_;
    std::int64_t last_request_ = 0;
    MonoTime deadline_{};
    TimerId retry_ = 0;
    int attempts_ = 0;
};

}  // namespace blixard::hypervisor
