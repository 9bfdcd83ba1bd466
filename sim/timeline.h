// Virtual time: one order of all that happens, made of the seed and of nothing else.
//
// A Timeline holds what happens at a moment (the world's own events). A HostClock is the monotonic
// clock of one host, which may run fast or slow. A Lane is one process of one host: an Executor
// with that host's clock; it may stand still while its process is paused. Where several lanes have
// something to run at the same moment, the seed decides who is first.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
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

    struct Moment {
        std::int64_t at = 0;
        TimerId id = 0;  // of two at one moment, the one that was asked for first
        auto operator<=>(const Moment&) const = default;
    };
    bool next_is_due(bool now);

    SeededRandom order_;
    std::int64_t now_ = 1000;
    TimerId last_ = 0;
    std::uint64_t steps_ = 0;
    std::priority_queue<Moment, std::vector<Moment>, std::greater<>>
        moments_;  // also of what was cancelled
    std::unordered_map<TimerId, std::function<void()>> events_;
    std::vector<Lane*> ready_;
};

class HostClock final : public Clock {
 public:
    // `ppm`: how much faster than true time it runs; `offset` is where it starts.
    HostClock(const Timeline& timeline, std::int64_t ppm, Millis offset)
        : timeline_(timeline), ppm_(ppm), local_(offset.count) {}

    MonoTime mono() const override { return at(timeline_.mono()); }
    WallTime wall() const override {
        return {timeline_.wall().ms + (mono() - timeline_.mono()).count / 1000};
    }
    // What it shows, or showed, at a true moment, taking its present speed for granted.
    MonoTime at(MonoTime moment) const {
        const std::int64_t passed = moment.ms - since_;
        // Millionths; rounded down, so that no timer is early.
        const std::int64_t gained = passed * ppm_;
        return {local_ + passed + (gained - (gained < 0 ? 999'999 : 0)) / 1'000'000};
    }
    // The true time from now until it shows `moment`; 0 where it does.
    Millis until(MonoTime moment) const;
    void set_ppm(std::int64_t ppm);

 private:
    const Timeline& timeline_;
    std::int64_t ppm_;
    std::int64_t since_ = 0, local_;  // what it showed at the true moment `since_`
};

class Lane final : public Executor, public Clock {
 public:
    Lane(Timeline& timeline, const HostClock& clock) : timeline_(timeline), clock_(clock) {}
    ~Lane() override { end(); }
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;

    MonoTime mono() const override { return clock_.mono(); }
    WallTime wall() const override { return clock_.wall(); }
    void post(std::function<void()> task) override;
    TimerId after(Millis delay, std::function<void()> task) override;
    void cancel(TimerId timer) override;

    void pause();   // nothing runs; timers that fall due wait
    void resume();  // what has waited runs, in its order
    void end();     // the process is gone: nothing runs any more, ever
    bool paused() const { return paused_; }
    // When it last went on behind a pause, on its host's clock; nothing: it has never stood still.
    std::optional<MonoTime> resumed_at() const { return resumed_at_; }

    // Called after each task, with the number of tasks that this lane has run.
    std::function<void(std::uint64_t)> after_task;

 private:
    friend class Timeline;
    struct Task {
        TimerId timer = 0;
        std::function<void()> run;
    };
    struct Timer {
        MonoTime due{};  // on the host's clock
        TimerId event = 0;
        std::function<void()> task;
    };
    void run_one();
    void enqueue(Task task);
    void arm(TimerId id, Timer& timer);
    void fire(TimerId id);

    Timeline& timeline_;
    const HostClock& clock_;
    bool paused_ = false, ended_ = false, listed_ = false;
    std::optional<MonoTime> resumed_at_;
    std::deque<Task> tasks_;
    std::unordered_map<TimerId, Timer> timers_;
    TimerId last_timer_ = 0;
    std::uint64_t ran_ = 0;
};

}  // namespace blixard::sim
