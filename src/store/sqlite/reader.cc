#include "store/sqlite/reader.h"

namespace blixard::store {
namespace {
constexpr std::size_t kQueueJobs = 4096;  // reads are rare: start-up, catch-up, tools
}

Reader::Reader(Ledger ledger) : ledger_(std::move(ledger)), thread_([this] { run(); }) {}

Reader::~Reader() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

bool Reader::submit(Job job) {
    {
        std::lock_guard lock(mutex_);
        if (queue_.size() >= kQueueJobs) return false;
        queue_.push_back(std::move(job));
    }
    woken_.notify_one();
    return true;
}

void Reader::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        woken_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (queue_.empty()) return;
        Job job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        job(ledger_);
        lock.lock();
    }
}

}  // namespace blixard::store
