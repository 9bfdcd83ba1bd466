// A few threads for work that blocks (files, qemu-img, name look-ups), so that the loop never
// waits.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::os {

class WorkerPool {
 public:
    // At most `queue_bound` pieces of work wait; more are refused.
    explicit WorkerPool(std::size_t threads = 2, std::size_t queue_bound = 1024);

    // Finishes what was accepted, then joins. The executors that results go to must still live.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Runs `work` on a worker. kExhausted when the queue is full. Any thread.
    Status submit(std::function<void()> work);

    // Runs `work` on a worker and posts its result to `executor`; `done` is called exactly once.
    // Any thread.
    template <class T>
    void run(Executor& executor, std::function<Result<T>()> work, Callback<T> done) {
        auto shared = std::make_shared<Callback<T>>(std::move(done));
        auto accepted = submit([&executor, work = std::move(work), shared] {
            auto result = std::make_shared<Result<T>>(work());
            executor.post([shared, result] { take (*shared)(std::move(*result)); });
        });
        if (!accepted) {
            executor.post([shared, error = accepted.error()] { take (*shared)(fail(error)); });
        }
    }

 private:
    // Out of what the worker shares: what the callback holds dies on the executor, not on a worker.
    template <class T>
    static Callback<T> take(Callback<T>& done) {
        return std::exchange(done, nullptr);
    }
    void work();

    const std::size_t queue_bound_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> queue_;  // guarded by mutex_
    bool closing_ = false;                     // guarded by mutex_
    std::vector<std::thread> threads_;
};

}  // namespace blixard::os
