// One thread's loop: posted functions, timers and file descriptors, each run to completion, one at
// a time.
//
// Threads: run() makes its caller the loop thread. post() and stop() may be called from any thread;
// everything else from the loop thread only (or before run()). Functions must not throw.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "os/clock.h"
#include "os/unique_fd.h"

namespace blixard::os {

class EventLoop final : public Executor, public Clock {
 public:
    EventLoop();
    ~EventLoop() override;
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    // Until stop(). What is posted after stop() is kept for the next run().
    void run();

    // Until `done()` is true (looked at after every round) or `limit` has passed; says whether it
    // became true.
    bool run_until(const std::function<bool()>& done, Millis limit);

    void stop();

    void post(std::function<void()> task) override;
    TimerId after(Millis delay, std::function<void()> task) override;
    void cancel(TimerId timer) override;

    MonoTime mono() const override { return clock_.mono(); }
    WallTime wall() const override { return clock_.wall(); }

    // Calls `ready` with the epoll events (EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR) while they last,
    // level-triggered. The loop does not own `fd`: unwatch before closing it. Watching a watched fd
    // replaces what was there.
    void watch_fd(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready);
    void change_fd(int fd, std::uint32_t events);
    void unwatch_fd(int fd);

 private:
    struct Watch {
        int fd;
        std::function<void(std::uint32_t)> ready;
    };

    void run_round(bool may_wait);
    void run_posted();
    void run_due_timers();
    void arm_timer();
    void wake();

    SystemClock clock_;
    UniqueFd epoll_, wake_, timer_;

    // Loop thread.
    std::set<std::pair<std::int64_t, TimerId>> due_;
    std::unordered_map<TimerId, std::pair<std::int64_t, std::function<void()>>> timers_;
    TimerId last_timer_ = 0;
    std::int64_t armed_ms_ = -1;
    std::uint64_t last_watch_ = 0;
    std::unordered_map<std::uint64_t, std::shared_ptr<Watch>> watches_;
    std::unordered_map<int, std::uint64_t> watch_of_fd_;

    std::mutex mutex_;
    std::vector<std::function<void()>> posted_;  // guarded by mutex_
    std::vector<std::function<void()>> spare_;   // empty; the room for what is posted next
    bool stopping_ = false;                      // guarded by mutex_
};

}  // namespace blixard::os
