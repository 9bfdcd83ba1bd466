#include "sim/timeline.h"

#include <algorithm>

#include "base/assert.h"

namespace blixard::sim {

TimerId Timeline::after(Millis delay, std::function<void()> task) {
    const std::int64_t at = now_ + std::max<std::int64_t>(0, delay.count);
    const TimerId id = ++last_;
    events_.emplace(std::pair{at, id}, std::move(task));
    when_[id] = at;
    return id;
}

void Timeline::cancel(TimerId timer) {
    const auto found = when_.find(timer);
    if (found == when_.end()) return;
    events_.erase({found->second, timer});
    when_.erase(found);
}

void Timeline::clear() {
    const auto dropped = std::exchange(events_, {});
    when_.clear();
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

bool Timeline::step() {
    ++steps_;
    // What happens outside the hosts comes first at its moment; then the hosts, as the seed says.
    const bool due = !events_.empty() && events_.begin()->first.first <= now_;
    if (!due && !ready_.empty()) {
        const std::size_t which = ready_.size() == 1 ? 0 : order_.below(ready_.size());
        Lane* const lane = ready_[which];
        ready_.erase(ready_.begin() + static_cast<std::ptrdiff_t>(which));
        lane->listed_ = false;
        lane->run_one();
        return true;
    }
    if (events_.empty()) return false;
    auto next = events_.extract(events_.begin());
    now_ = next.key().first;
    when_.erase(next.key().second);
    next.mapped()();
    return true;
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
    // The first true moment at which this clock has moved on by `delay`.
    const std::int64_t target = scaled(timeline_.now_) + std::max<std::int64_t>(0, delay.count);
    std::int64_t wait = std::max<std::int64_t>(0, delay.count) * 1'000'000 / (1'000'000 + ppm_);
    while (wait > 0 && scaled(timeline_.now_ + wait - 1) >= target) --wait;
    while (scaled(timeline_.now_ + wait) < target) ++wait;
    auto id = std::make_shared<TimerId>(0);
    *id = timeline_.after(Millis{wait}, [this, id] {
        auto node = timers_.extract(*id);
        if (!node.empty()) enqueue({*id, std::move(node.mapped())});
    });
    timers_[*id] = std::move(task);
    return *id;
}

void Lane::cancel(TimerId timer) {
    if (timer == 0) return;
    if (timers_.erase(timer) > 0) return timeline_.cancel(timer);
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
    timeline_.make_ready(this);
}

void Lane::end() {
    if (ended_) return;
    ended_ = true;
    timeline_.forget(this);
    for (const auto& [id, task] : timers_) timeline_.cancel(id);
    timers_.clear();
    tasks_.clear();
}

}  // namespace blixard::sim
