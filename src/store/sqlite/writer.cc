#include "store/sqlite/writer.h"

#include <algorithm>
#include <atomic>

namespace blixard::store {
namespace {

constexpr std::size_t kQueueJobs = 65536;  // seconds of work; more waiting helps nobody
constexpr std::size_t kGroupJobs = 512;    // bounds the latency that a job gets from its neighbours
constexpr int kWalPagesIdle = 1000;        // 4 MiB: moved into the database when nobody waits
constexpr int kWalPagesMost = 16384;       // 64 MiB: moved even if somebody waits

}  // namespace

Writer::Writer(Ledger ledger, Executor& executor, Publish publish)
    : ledger_(std::move(ledger)),
      executor_(executor),
      publish_(std::move(publish)),
      revision_(ledger_.revision()),
      thread_([this] { run(); }) {}

Writer::~Writer() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    woken_.notify_one();
    thread_.join();
}

void Writer::submit(WriteJob job) {
    bool wake = false;
    {
        std::lock_guard lock(mutex_);
        if (queue_.size() < kQueueJobs) {
            wake = queue_.empty();
            queue_.push_back(std::move(job));
            job.finish = nullptr;
        }
    }
    if (wake) woken_.notify_one();
    if (job.finish) {
        executor_.post([finish = std::move(job.finish)] {
            finish(fail(ErrorCode::kExhausted, "too many writes wait for the disk"));
        });
    }
}

void Writer::run() {
    for (Group group = next_group(); !group.empty(); group = next_group()) {
        write(std::move(group));
        tidy();
    }
}

// Empty: the writer is to stop.
Writer::Group Writer::next_group() {
    Group group;
    std::unique_lock lock(mutex_);
    while (sweeping_ && queue_.empty() && !stopping_) {
        lock.unlock();
        sweeping_ = ledger_.sweep().value_or(false);
        lock.lock();
    }
    woken_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    const std::size_t count = stopping_ ? queue_.size() : std::min(queue_.size(), kGroupJobs);
    for (std::size_t i = 0; i < count; ++i) {
        group.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    if (!stopping_) return group;
    lock.unlock();
    post_failed(std::move(group), {ErrorCode::kUnavailable, "the store is closed"});
    return {};
}

Status Writer::attempt(Group& group, std::size_t begin, std::size_t end,
                       std::vector<Change>& changes) {
    auto all = [&]() -> Status {
        for (std::size_t i = begin; i < end; ++i) {
            RETURN_IF_ERROR(group[i].perform(ledger_, changes));
        }
        return ledger_.commit();
    };
    RETURN_IF_ERROR(ledger_.begin());
    auto done = all();
    if (!done) ledger_.rollback();
    return done;
}

void Writer::write(Group group) {
    std::vector<Change> changes;
    const auto done = attempt(group, 0, group.size(), changes);
    if (done) return post_finished(std::move(group), std::move(changes));
    if (group.size() == 1 || done.error().code == ErrorCode::kUnknownOutcome) {
        return post_failed(std::move(group), done.error());
    }
    for (WriteJob& job : group) {
        Group alone;
        alone.push_back(std::move(job));
        changes.clear();
        const auto own = attempt(alone, 0, 1, changes);
        own ? post_finished(std::move(alone), std::move(changes))
            : post_failed(std::move(alone), own.error());
    }
}

void Writer::post_finished(Group group, std::vector<Change> changes) {
    revision_.store(ledger_.revision(), std::memory_order_release);
    auto jobs = std::make_shared<Group>(std::move(group));
    executor_.post(
        [publish = publish_, jobs, changes = std::move(changes), revision = ledger_.revision()] {
            if (!changes.empty()) publish(changes, revision);
            for (WriteJob& job : *jobs) job.finish({});
        });
}

void Writer::post_failed(Group group, const Error& error) {
    auto jobs = std::make_shared<Group>(std::move(group));
    executor_.post([jobs, error] {
        for (WriteJob& job : *jobs) job.finish(fail(error));
    });
}

// Between two groups, after the answers are on their way.
void Writer::tidy() {
    const int pages = ledger_.database().wal_pages();
    bool idle = false;
    {
        std::lock_guard lock(mutex_);
        idle = queue_.empty();
    }
    if (pages > kWalPagesMost || (idle && pages > kWalPagesIdle)) ledger_.database().checkpoint();
    sweeping_ = ledger_.sweep().value_or(false);
}

}  // namespace blixard::store
