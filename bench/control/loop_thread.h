// An event loop on a thread of its own, as every daemon has one.
#pragma once

#include <pthread.h>
#include <time.h>

#include <functional>
#include <future>
#include <thread>

#include "os/event_loop.h"

namespace blixard::bench {

class LoopThread {
 public:
    LoopThread() : thread_([this] { loop_.run(); }) {}
    ~LoopThread() {
        loop_.stop();
        thread_.join();
    }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;

    os::EventLoop& loop() { return loop_; }

    // What the thread has used so far.
    double cpu_seconds() {
        clockid_t clock{};
        timespec used{};
        if (::pthread_getcpuclockid(thread_.native_handle(), &clock) != 0) return 0;
        ::clock_gettime(clock, &used);
        return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
    }

    // Runs `task` on the loop's thread and waits for it. Any other thread.
    void run(const std::function<void()>& task) {
        std::promise<void> done;
        loop_.post([&] {
            task();
            done.set_value();
        });
        done.get_future().wait();
    }

 private:
    os::EventLoop loop_;
    std::thread thread_;
};

}  // namespace blixard::bench
