// Virtual time: one order of all that happens, made of the seed and of nothing else.
//
// A Timeline holds what happens at a moment (the world's own events). A Lane is one process of one
// host: an Executor with that host's clock, which may run fast or slow, and may stand still while
// its process is paused. Where several lanes have something to run at the same moment, the seed
// decides who is first.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/time.h"

namespace blixard::sim {

class Lane;

class Timeline final : public Executor, public Clock {
   public:
    explicit Timeline(std::uint64_t seed) : order_(seed) {}

    MonoTime mono() const override { return {now_}; }
    WallTime wall() const override { return {1'795'232'400'000 + now_}; }
    void post(std::function<void()> task) override { after(Millis{0}, std::move(task)); }
    TimerId after(Millis delay, std::function<void()> task) override;
    void cancel(TimerId timer) override;

    // One step: one task of one lane, or one event. False: nothing will ever happen.
    bool step();
    std::uint64_t steps() const { return steps_; }
    // Drops all that was to happen: before what it refers to is destroyed.
    void clear();

   private:
    friend class Lane;
    void make_ready(Lane* lane);
    void forget(Lane* lane);

    SeededRandom order_;
    std::int64_t now_ = 1000;
    TimerId last_ = 0;
    std::uint64_t steps_ = 0;
    std::map<std::pair<std::int64_t, TimerId>, std::function<void()>> events_;
    std::map<TimerId, std::int64_t> when_;  // of events_
    std::vector<Lane*> ready_;
};

class Lane final : public Executor, public Clock {
   public:
    // `ppm`: how much faster than true time this clock runs; `offset` is where it starts.
    Lane(Timeline& timeline, std::int64_t ppm, Millis offset) : timeline_(timeline), ppm_(ppm), offset_(offset.count) {}
    ~Lane() override { end(); }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    MonoTime mono() const override { return {offset_ + scaled(timeline_.now_)}; }
    WallTime wall() const override { return {timeline_.wall().ms + offset_ / 1000}; }
    void post(std::function<void()> task) override;
    TimerId after(Millis delay, std::function<void()> task) override;
    void cancel(TimerId timer) override;

    void pause();   // nothing runs; timers that fall due wait
    void resume();  // what has waited runs, in its order
    void end();     // the process is gone: nothing runs any more, ever
    bool paused() const { return paused_; }

    // Called after each task, with the number of tasks that this lane has run.
    std::function<void(std::uint64_t)> after_task;

   private:
    friend class Timeline;
    struct Task {
        TimerId timer = 0;
        std::function<void()> run;
    };
    void run_one();
    void enqueue(Task task);
    std::int64_t scaled(std::int64_t ms) const { return ms + ms * ppm_ / 1'000'000; }

    Timeline& timeline_;
    const std::int64_t ppm_;
    const std::int64_t offset_;
    bool paused_ = false, ended_ = false, listed_ = false;
    std::deque<Task> tasks_;
    std::map<TimerId, std::function<void()>> timers_;
    std::uint64_t ran_ = 0;
};

}  // namespace blixard::sim
