#include "os/event_loop.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>

#include <thread>

#include "os/worker_pool.h"

namespace blixard::os {
namespace {

TEST(EventLoop, runs_what_is_posted_in_order_also_from_other_threads) {
    EventLoop loop;
    std::vector<int> seen;
    std::thread other([&] {
        for (int i = 0; i < 1000; ++i) loop.post([&seen, i] { seen.push_back(i); });
        loop.post([&loop] { loop.stop(); });
    });
    loop.run();
    other.join();
    ASSERT_EQ(seen.size(), 1000u);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

TEST(EventLoop, timers_run_by_due_time_and_a_cancelled_one_never) {
    EventLoop loop;
    std::string order;
    loop.after(Millis{20}, [&] {
        order += "c";
        loop.stop();
    });
    loop.after(Millis{1}, [&] { order += "a"; });
    const TimerId dropped = loop.after(Millis{5}, [&] { order += "x"; });
    loop.after(Millis{2}, [&] {
        loop.cancel(dropped);
        order += "b";
    });
    loop.cancel(0);
    loop.run();
    EXPECT_EQ(order, "abc");
}

TEST(EventLoop, a_timer_may_set_timers_and_does_not_starve_posts) {
    EventLoop loop;
    int rounds = 0;
    std::function<void()> again = [&] {
        ++rounds;
        loop.after(Millis{0}, again);
    };
    loop.after(Millis{0}, again);
    bool posted = false;
    loop.after(Millis{0}, [&] { loop.post([&] { posted = true; }); });
    EXPECT_TRUE(loop.run_until([&] { return posted; }, seconds(5)));
    EXPECT_GT(rounds, 0);
}

TEST(EventLoop, a_watched_descriptor_may_unwatch_itself_and_its_neighbour) {
    EventLoop loop;
    int a[2], b[2];
    ASSERT_EQ(::pipe(a), 0);
    ASSERT_EQ(::pipe(b), 0);
    UniqueFd ar(a[0]), aw(a[1]), br(b[0]), bw(b[1]);
    int calls = 0;
    const auto once = [&](std::uint32_t) {
        ++calls;
        loop.unwatch_fd(ar.get());
        loop.unwatch_fd(br.get());
        loop.stop();
    };
    loop.watch_fd(ar.get(), EPOLLIN, once);
    loop.watch_fd(br.get(), EPOLLIN, once);
    ASSERT_EQ(::write(aw.get(), "x", 1), 1);
    ASSERT_EQ(::write(bw.get(), "x", 1), 1);
    loop.run();
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, run_until_gives_up_after_its_limit) {
    EventLoop loop;
    EXPECT_FALSE(loop.run_until([] { return false; }, Millis{5}));
}

TEST(WorkerPool, posts_results_back_to_the_loop) {
    EventLoop loop;
    WorkerPool pool(2);
    int sum = 0, answers = 0;
    for (int i = 1; i <= 10; ++i) {
        pool.run<int>(
            loop, [i]() -> Result<int> { return i; },
            [&](Result<int> value) {
                sum += *value;
                ++answers;
            });
    }
    EXPECT_TRUE(loop.run_until([&] { return answers == 10; }, seconds(5)));
    EXPECT_EQ(sum, 55);
}

TEST(WorkerPool, a_full_queue_is_refused_and_still_answered) {
    EventLoop loop;
    WorkerPool pool(1, 1);
    std::mutex gate;
    gate.lock();
    std::atomic<bool> busy = false;
    ASSERT_TRUE(pool.submit([&] {
        busy = true;
        gate.lock();
        gate.unlock();
    }));
    while (!busy) std::this_thread::yield();
    ASSERT_TRUE(pool.submit([] {}));
    std::optional<Error> refused;
    pool.run<int>(
        loop, []() -> Result<int> { return 1; },
        [&](Result<int> value) { refused = value.error(); });
    EXPECT_TRUE(loop.run_until([&] { return refused.has_value(); }, seconds(5)));
    EXPECT_EQ(refused->code, ErrorCode::kExhausted);
    gate.unlock();
}

}  // namespace
}  // namespace blixard::os
