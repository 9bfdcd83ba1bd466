// An event loop on a thread of its own, as every daemon has one.
#pragma once

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
