#include "sim/timeline.h"

#include <algorithm>

#include "base/assert.h"

namespace blixard::sim {

TimerId Timeline::after(Millis delay, std::function<void()> task) {
    const TimerId id = ++last_;
    moments_.push({now_ + std::max<std::int64_t>(0, delay.count), id});
    events_.emplace(id, std::move(task));
    return id;
}

void Timeline::cancel(TimerId timer) { events_.erase(timer); }

void Timeline::clear() {
    const auto dropped = std::exchange(events_, {});
    moments_ = {};
}

void Timeline::make_ready(Lane* lane) {
    if (lane->listed_ || lane->paused_ || lane->tasks_.empty()) return;
    lane->listed_ = true;
    ready_.push_back(lane);
}

void Timeline::forget(Lane* lane) {
    if (!lane->listed_) return;
    lane->listed_ = false;
    std::erase(ready_, lane);
}

// The next moment at which something happens that was not cancelled stands on top; `now`: it is
// due.
bool Timeline::next_is_due(bool now) {
    while (!moments_.empty() && !events_.contains(moments_.top().id)) moments_.pop();
    return !moments_.empty() && (!now || moments_.top().at <= now_);
}

bool Timeline::step() {
    ++steps_;
    // What happens outside the hosts comes first at its moment; then the hosts, as the seed says.
    if (!ready_.empty() && !next_is_due(true)) {
        const std::size_t which = ready_.size() == 1 ? 0 : order_.below(ready_.size());
        Lane* const lane = ready_[which];
        ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(which));
        lane->listed_ = false;
        lane->run_one();
        return true;
    }
    if (!next_is_due(false)) return false;
    now_ = std::max(now_, moments_.top().at);
    auto event = events_.extract(moments_.top().id);
    moments_.pop();
    event.mapped()();
    return true;
}

Millis HostClock::until(MonoTime moment) const {
    const std::int64_t left = (moment - mono()).count;
    if (left <= 0) return {};
    std::int64_t wait = left * 1'000'000 / (1'000'000 + ppm_);
    const std::int64_t now = timeline_.mono().ms;
    while (wait > 0 && at({now + wait - 1}) >= moment) --wait;
    while (at({now + wait}) < moment) ++wait;
    return {wait};
}

void HostClock::set_ppm(std::int64_t ppm) {
    local_ = mono().ms;
    since_ = timeline_.mono().ms;
    ppm_ = ppm;
}

void Lane::enqueue(Task task) {
    tasks_.push_back(std::move(task));
    timeline_.make_ready(this);
}

void Lane::post(std::function<void()> task) {
    if (!ended_) enqueue({0, std::move(task)});
}

TimerId Lane::after(Millis delay, std::function<void()> task) {
    if (ended_) return 0;
    const TimerId id = ++last_timer_;
    Timer& timer = timers_[id];
    timer.due = clock_.mono() + std::max(Millis{0}, delay);
    timer.task = std::move(task);
    arm(id, timer);
    return id;
}

void Lane::arm(TimerId id, Timer& timer) {
    timer.event = timeline_.after(clock_.until(timer.due), [this, id] { fire(id); });
}

void Lane::fire(TimerId id) {
    const auto found = timers_.find(id);
    if (found == timers_.end()) return;
    // The clock has become slower.
    if (clock_.mono() < found->second.due) return arm(id, found->second);
    Task task{id, std::move(found->second.task)};
    timers_.erase(found);
    enqueue(std::move(task));
}

void Lane::cancel(TimerId timer) {
    if (timer == 0) return;
    if (const auto found = timers_.find(timer); found != timers_.end()) {
        timeline_.cancel(found->second.event);
        timers_.erase(found);
        return;
    }
    std::erase_if(tasks_, [timer](const Task& task) { return task.timer == timer; });
    if (tasks_.empty()) timeline_.forget(this);
}

void Lane::run_one() {
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    timeline_.make_ready(this);
    task.run();
    ++ran_;
    if (after_task && !ended_) after_task(ran_);
}

void Lane::pause() {
    paused_ = true;
    timeline_.forget(this);
}

void Lane::resume() {
    paused_ = false;
    resumed_at_ = clock_.mono();
    timeline_.make_ready(this);
}

void Lane::end() {
    if (ended_) return;
    ended_ = true;
    timeline_.forget(this);
    for (const auto& [id, timer] : timers_) timeline_.cancel(timer.event);
    timers_.clear();
    tasks_.clear();
}

}  // namespace blixard::sim
