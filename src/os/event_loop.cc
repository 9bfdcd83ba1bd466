#include "os/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/assert.h"

namespace blixard::os {
namespace {

constexpr std::uint64_t kWake = 0;
constexpr std::uint64_t kTimer = 1;
constexpr std::uint64_t kFirstWatch = 2;
constexpr int kEventsPerRound = 64;
constexpr std::size_t kSpareMost = 4096;  // tasks: a burst's room is not kept for ever

void add_to_epoll(int epoll, int fd, std::uint32_t events, std::uint64_t key) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = key;
    const int failed = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    ASSERT(failed == 0);
}

void drain(int fd) {
    std::uint64_t count = 0;
    while (::read(fd, &count, sizeof count) < 0 && errno == EINTR) {
    }
}

}  // namespace

EventLoop::EventLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)),
      last_watch_(kFirstWatch) {
    ASSERT(epoll_ && wake_ && timer_);
    add_to_epoll(epoll_.get(), wake_.get(), EPOLLIN, kWake);
    add_to_epoll(epoll_.get(), timer_.get(), EPOLLIN, kTimer);
}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
    for (;;) {
        {
            std::lock_guard lock(mutex_);
            if (std::exchange(stopping_, false)) return;
        }
        run_round(true);
    }
}

bool EventLoop::run_until(const std::function<bool()>& done, Millis limit) {
    bool late = false;
    const TimerId timer = after(limit, [&late] { late = true; });
    while (!done() && !late) run_round(true);
    cancel(timer);
    return done();
}

void EventLoop::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake();
}

void EventLoop::post(std::function<void()> task) {
    bool first = false;
    {
        std::lock_guard lock(mutex_);
        first = posted_.empty();
        posted_.push_back(std::move(task));
    }
    if (first) wake();
}

TimerId EventLoop::after(Millis delay, std::function<void()> task) {
    const TimerId id = ++last_timer_;
    const std::int64_t due = mono().ms + std::max<std::int64_t>(delay.count, 0);
    timers_.emplace(id, std::pair{due, std::move(task)});
    due_.emplace(due, id);
    return id;
}

void EventLoop::cancel(TimerId timer) {
    const auto found = timers_.find(timer);
    if (found == timers_.end()) return;
    due_.erase({found->second.first, timer});
    timers_.erase(found);
}

void EventLoop::watch_fd(int fd, std::uint32_t events, std::function<void(std::uint32_t)> ready) {
    unwatch_fd(fd);
    const std::uint64_t key = ++last_watch_;
    watches_.emplace(key, std::make_shared<Watch>(Watch{fd, std::move(ready)}));
    watch_of_fd_[fd] = key;
    add_to_epoll(epoll_.get(), fd, events, key);
}

void EventLoop::change_fd(int fd, std::uint32_t events) {
    const auto found = watch_of_fd_.find(fd);
    if (found == watch_of_fd_.end()) return;
    epoll_event event{};
    event.events = events;
    event.data.u64 = found->second;
    const int failed = epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    ASSERT(failed == 0);
}

void EventLoop::unwatch_fd(int fd) {
    const auto found = watch_of_fd_.find(fd);
    if (found == watch_of_fd_.end()) return;
    watches_.erase(found->second);
    watch_of_fd_.erase(found);
    epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::run_round(bool may_wait) {
    arm_timer();
    std::array<epoll_event, kEventsPerRound> events;
    const int count = epoll_wait(epoll_.get(), events.data(), kEventsPerRound, may_wait ? -1 : 0);
    ASSERT(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; ++i) {
        const std::uint64_t key = events[i].data.u64;
        if (key == kWake) {
            drain(wake_.get());
        } else if (key == kTimer) {
            drain(timer_.get());
            armed_ms_ = -1;
        } else if (const auto found = watches_.find(key); found != watches_.end()) {
            const std::shared_ptr<Watch> watch = found->second;  // may unwatch itself
            watch->ready(events[i].events);
        }
    }
    run_due_timers();
    run_posted();
}

void EventLoop::run_posted() {
    std::vector<std::function<void()>> batch;
    {
        std::lock_guard lock(mutex_);
        batch.swap(posted_);
        posted_.swap(spare_);
    }
    for (auto& task : batch) task();
    batch.clear();
    if (batch.capacity() <= kSpareMost) spare_.swap(batch);
}

void EventLoop::run_due_timers() {
    const std::int64_t now = mono().ms;
    const TimerId newest = last_timer_;  // timers made by timers wait for the next round
    while (!due_.empty() && due_.begin()->first <= now && due_.begin()->second <= newest) {
        const TimerId id = due_.begin()->second;
        due_.erase(due_.begin());
        auto task = std::move(timers_.at(id).second);
        timers_.erase(id);
        task();
    }
}

void EventLoop::arm_timer() {
    const std::int64_t next = due_.empty() ? 0 : std::max<std::int64_t>(due_.begin()->first, 1);
    if (next == armed_ms_) return;
    armed_ms_ = next;
    itimerspec when{};
    when.it_value.tv_sec = next / 1000;
    when.it_value.tv_nsec = (next % 1000) * 1'000'000;
    const int failed = timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
    ASSERT(failed == 0);
}

void EventLoop::wake() {
    const std::uint64_t one = 1;
    while (::write(wake_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

}  // namespace blixard::os
