#include "base/metrics.h"

#include <gtest/gtest.h>

namespace blixard {
namespace {

TEST(Metrics, are_written_as_prometheus_text) {
    Metrics metrics;
    metrics.counter("requests_total", "Requests.", {{"route", "/v1/vms"}}).add(3);
    metrics.histogram("latency_seconds", "Latency.").record_micros(20);
    const std::string text = metrics.text();
    EXPECT_NE(text.find("# TYPE requests_total counter\nrequests_total{route=\"/v1/vms\"} 3\n"),
              std::string::npos)
        << text;
    EXPECT_NE(
        text.find(
            "latency_seconds_bucket{le=\"1.6e-05\"} 0\nlatency_seconds_bucket{le=\"3.2e-05\"} 1\n"),
        std::string::npos)
        << text;
    EXPECT_NE(text.find("latency_seconds_count 1\n"), std::string::npos) << text;
}

TEST(Metrics, the_same_labels_give_the_same_handle) {
    Metrics metrics;
    EXPECT_EQ(&metrics.counter("a", "", {{"x", "1"}}), &metrics.counter("a", "", {{"x", "1"}}));
    EXPECT_NE(&metrics.counter("a", "", {{"x", "1"}}), &metrics.counter("a", "", {{"x", "2"}}));
}

TEST(Metrics, what_was_never_measured_is_absent) {
    Metrics metrics;
    metrics.histogram("latency_seconds", "Latency.");
    EXPECT_EQ(metrics.text(), "");
}

}  // namespace
}  // namespace blixard
