// How many keys a page of a long range asks for: as many as make some megabytes. etcd 3.4 finds all
// keys that are left before it reads a page of them, so that short pages of many keys cost their
// square (300,000 keys by 1,000: 19 s of etcd's time; by 20,000: 2.6 s; in one answer: 1.8 s).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace blixard::store {

// Any thread.
class PageSize {
 public:
    static constexpr std::int64_t kFirstKeys = 1000;  // while nothing is known of the values
    static constexpr std::int64_t kBytes = 16 * 1024 * 1024;  // aimed at
    static constexpr std::int64_t kLeastKeys = 100;           // of the largest values, 100 MiB
    static constexpr std::int64_t kMostKeys = 20'000;

    std::int64_t keys() const { return keys_.load(std::memory_order_relaxed); }

    // What an answer held. Of a few keys nothing follows for many.
    void learn(std::int64_t keys, std::int64_t bytes) {
        if (keys < std::min(kFirstKeys, this->keys())) return;
        const std::int64_t fit = kBytes * keys / std::max<std::int64_t>(bytes, 1);
        keys_.store(std::clamp(fit, kLeastKeys, kMostKeys), std::memory_order_relaxed);
    }

 private:
    std::atomic<std::int64_t> keys_{kFirstKeys};
};

}  // namespace blixard::store
