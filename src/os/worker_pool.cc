#include "os/worker_pool.h"

#include <signal.h>

namespace blixard::os {
namespace {

// Signals belong to the thread that waits for them, never to a worker.
class SignalsBlocked {
 public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
    sigset_t before_;
};

}  // namespace

WorkerPool::WorkerPool(std::size_t threads, std::size_t queue_bound) : queue_bound_(queue_bound) {
    const SignalsBlocked blocked;
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

WorkerPool::~WorkerPool() {
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_) thread.join();
}

Status WorkerPool::submit(std::function<void()> work) {
    {
        std::lock_guard lock(mutex_);
        if (closing_ || queue_.size() >= queue_bound_) {
            return fail(ErrorCode::kExhausted,
                        "all workers are busy and " + std::to_string(queue_.size()) +
                            " pieces of work wait already",
                        "ask again in a moment");
        }
        queue_.push_back(std::move(work));
    }
    changed_.notify_one();
    return {};
}

void WorkerPool::work() {
    for (;;) {
        std::function<void()> next;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return closing_ || !queue_.empty(); });
            if (queue_.empty()) return;
            next = std::move(queue_.front());
            queue_.pop_front();
        }
        next();
    }
}

}  // namespace blixard::os
