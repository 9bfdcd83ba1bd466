// The rows of a measurement: a table for people as they come, JSON for compare.py at the end.
#pragma once

#include <string>
#include <vector>

#include "bench/api/load.h"

namespace blixard::bench {

class Report {
 public:
    void heading(const std::string& text);
    // One load: p50, p99, requests per second, bytes.
    void add(const std::string& name, const std::string& way, int connections,
             const Figures& figures);
    // One number with its unit ("MB", "us", "% of a core").
    void add(const std::string& name, double value, const std::string& unit);
    // A row that could not be measured, and why. It is no number in the JSON.
    void missing(const std::string& name, const std::string& reason);

    Status write_json(const std::string& path) const;

 private:
    std::vector<std::string> rows_;  // JSON objects
};

}  // namespace blixard::bench
