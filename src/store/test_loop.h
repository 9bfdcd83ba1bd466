// A loop that the test's own thread pumps, on real or on virtual time. For tests of whatever runs
// on an Executor.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "base/time.h"

namespace blixard::store {

enum class TestTime { kReal, kVirtual };

class TestLoop final : public Executor, public Clock {
 public:
    explicit TestLoop(TestTime kind) : kind_(kind) {}

    void post(std::function<void()> task) override {
        std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        woken_.notify_one();
    }

    TimerId after(Millis delay, std::function<void()> task) override {
        std::lock_guard lock(mutex_);
        const TimerId id = ++last_timer_;
        timers_[{now().ms + delay.count, id}] = std::move(task);
        return id;
    }

    void cancel(TimerId timer) override {
        std::lock_guard lock(mutex_);
        std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
    }

    MonoTime mono() const override {
        std::lock_guard lock(mutex_);
        return now();
    }
    WallTime wall() const override { return {1'795'232'400'000 + mono().ms}; }

    // Runs tasks until `done` holds: true; or until `patience` has passed on this loop's clock:
    // false.
    bool run_until(const std::function<bool()>& done, Millis patience = seconds(20)) {
        const MonoTime end = mono() + patience;
        while (!done()) {
            if (mono() >= end) return false;
            if (auto task = next(end)) task();
        }
        return true;
    }

    // Runs tasks for `span` of this loop's time.
    void run_for(Millis span) {
        run_until([] { return false; }, span);
    }

 private:
    using TimerKey = std::pair<std::int64_t, TimerId>;

    MonoTime now() const {
        if (kind_ == TestTime::kVirtual) return virtual_now_;
        timespec time{};
        clock_gettime(CLOCK_BOOTTIME, &time);
        return {time.tv_sec * 1000 + time.tv_nsec / 1'000'000};
    }

    // The next task that is due; empty after a wait that brought none.
    std::function<void()> next(MonoTime end) {
        std::unique_lock lock(mutex_);
        if (!tasks_.empty()) return pop(tasks_);
        const bool timer_first = !timers_.empty() && timers_.begin()->first.first <= end.ms;
        const MonoTime wake = timer_first ? MonoTime{timers_.begin()->first.first} : end;
        if (kind_ == TestTime::kVirtual) {
            if (wake > virtual_now_) virtual_now_ = wake;
        } else if (wake > now()) {
            // Not longer than this: the test may wait for something outside of the loop.
            const Millis pause = std::min(wake - now() + Millis{1}, Millis{20});
            woken_.wait_for(lock, std::chrono::milliseconds(pause.count),
                            [this] { return !tasks_.empty(); });
        }
        if (!tasks_.empty()) return pop(tasks_);
        if (timers_.empty() || timers_.begin()->first.first > now().ms) return {};
        return std::move(timers_.extract(timers_.begin()).mapped());
    }

    static std::function<void()> pop(std::deque<std::function<void()>>& tasks) {
        auto task = std::move(tasks.front());
        tasks.pop_front();
        return task;
    }

    const TestTime kind_;
    mutable std::mutex mutex_;  // guards all below
    std::condition_variable woken_;
    std::deque<std::function<void()>> tasks_;
    std::map<TimerKey, std::function<void()>> timers_;
    TimerId last_timer_ = 0;
    MonoTime virtual_now_{1000};
};

}  // namespace blixard::store
