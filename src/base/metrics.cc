#include "base/metrics.h"

#include <fmt/format.h>

#include <bit>

namespace blixard {
namespace {

constexpr int kFirstBucketBits = 4;  // the first bucket ends at 2^4 us

int bucket_of(std::uint64_t micros) {
    // The smallest n with micros <= 2^n.
    const int bits = micros == 0 ? 0 : std::bit_width(micros - 1);
    return bits <= kFirstBucketBits ? 0 : std::min(bits - kFirstBucketBits, Histogram::kBuckets);
}

void append_labels(std::string& out, const MetricLabels& labels, std::string_view le = {}) {
    if (labels.empty() && le.empty()) return;
    out += '{';
    bool first = true;
    for (const auto& [name, value] : labels) {
        if (!first) out += ',';
        first = false;
        out += name;
        out += "=\"";
        for (const char c : value) {
            if (c == '\\' || c == '"') out += '\\';
            if (c == '\n')
                out += "\\n";
            else
                out += c;
        }
        out += '"';
    }
    if (!le.empty()) fmt::format_to(std::back_inserter(out), "{}le=\"{}\"", first ? "" : ",", le);
    out += '}';
}

}  // namespace

void Histogram::record_micros(std::uint64_t micros) {
    buckets_[bucket_of(micros)].fetch_add(1, std::memory_order_relaxed);
    sum_micros_.fetch_add(micros, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
    std::uint64_t sum = 0;
    for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
    return sum;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, MetricLabels labels) {
    const std::lock_guard lock(mutex_);
    Family<Counter>& family = counters_[std::string(name)];
    family.help = help;
    std::unique_ptr<Counter>& handle = family.samples[std::move(labels)];
    if (!handle) handle = std::make_unique<Counter>();
    return *handle;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, MetricLabels labels) {
    const std::lock_guard lock(mutex_);
    Family<Histogram>& family = histograms_[std::string(name)];
    family.help = help;
    std::unique_ptr<Histogram>& handle = family.samples[std::move(labels)];
    if (!handle) handle = std::make_unique<Histogram>();
    return *handle;
}

std::string Metrics::text() const {
    std::string out;
    const std::lock_guard lock(mutex_);
    for (const auto& [name, family] : counters_) {
        fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} counter\n", name,
                       family.help, name);
        for (const auto& [labels, counter] : family.samples) {
            out += name;
            append_labels(out, labels);
            fmt::format_to(std::back_inserter(out), " {}\n", counter->value());
        }
    }
    for (const auto& [name, family] : histograms_) {
        std::string body;
        for (const auto& [labels, histogram] : family.samples) {
            if (histogram->count() == 0) continue;
            std::uint64_t below = 0;
            for (int i = 0; i <= Histogram::kBuckets; ++i) {
                below += histogram->buckets_[i].load(std::memory_order_relaxed);
                body += name + "_bucket";
                append_labels(
                    body, labels,
                    i == Histogram::kBuckets
                        ? "+Inf"
                        : fmt::format("{}",
                                      static_cast<double>(1ULL << (i + kFirstBucketBits)) / 1e6));
                fmt::format_to(std::back_inserter(body), " {}\n", below);
            }
            body += name + "_sum";
            append_labels(body, labels);
            fmt::format_to(std::back_inserter(body), " {}\n",
                           static_cast<double>(histogram->sum_micros_.load()) / 1e6);
            body += name + "_count";
            append_labels(body, labels);
            fmt::format_to(std::back_inserter(body), " {}\n", below);
        }
        if (body.empty()) continue;
        fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} histogram\n{}", name,
                       family.help, name, body);
    }
    return out;
}

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
}

void MetricsText::sample(std::string_view name, const MetricLabels& labels, double value) {
    text_ += name;
    append_labels(text_, labels);
    fmt::format_to(std::back_inserter(text_), " {}\n", value);
}

}  // namespace blixard
