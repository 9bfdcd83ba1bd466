// Metrics in process: handles made once, recorded with one atomic instruction, written as
// Prometheus text when asked for. What was never measured is absent: a family without samples is
// not written.
//
// Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace blixard {

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Only rises. Any thread.
class Counter {
 public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
    std::atomic<std::uint64_t> value_{0};
};

// Latencies in microseconds, in buckets of powers of two from 16 us to 134 s. Any thread.
class Histogram {
 public:
    static constexpr int kBuckets = 24;
    void record_micros(std::uint64_t micros);
    std::uint64_t count() const;

 private:
    friend class Metrics;
    std::array<std::atomic<std::uint64_t>, kBuckets + 1> buckets_{};  // the last one: longer
    std::atomic<std::uint64_t> sum_micros_{0};
};

// Owner of all handles; they live as long as it does. Making a handle takes a lock, using one does
// not.
class Metrics {
 public:
    Counter& counter(std::string_view name, std::string_view help, MetricLabels labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, MetricLabels labels = {});

    // Everything recorded so far, as text.
    std::string text() const;

 private:
    template <class Handle>
    struct Family {
        std::string help;
        std::map<MetricLabels, std::unique_ptr<Handle>> samples;
    };
    mutable std::mutex mutex_;
    std::map<std::string, Family<Counter>, std::less<>> counters_;      // guarded by mutex_
    std::map<std::string, Family<Histogram>, std::less<>> histograms_;  // guarded by mutex_
};

// Writes families that are computed when asked for (counts by phase, measured usage).
class MetricsText {
 public:
    void family(std::string_view name, std::string_view type, std::string_view help);
    void sample(std::string_view name, const MetricLabels& labels, double value);
    std::string take() { return std::move(text_); }

 private:
    std::string text_;
};

}  // namespace blixard
