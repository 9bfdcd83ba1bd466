#include "bench/api/report.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

namespace blixard::bench {

void Report::heading(const std::string& text) {
    fmt::print("\n{}\n{:<44} {:<5} {:>4} {:>11} {:>11} {:>11} {:>12}\n", text, "row", "way", "conn",
               "p50 us", "p99 us", "per second", "body bytes");
    std::fflush(stdout);
}

void Report::add(const std::string& name, const std::string& way, int connections,
                 const Figures& figures) {
    fmt::print("{:<44} {:<5} {:>4} {:>11.1f} {:>11.1f} {:>11.0f} {:>12}\n", name, way, connections,
               figures.p50_us, figures.p99_us, figures.per_second, figures.body_bytes);
    std::fflush(stdout);
    rows_.push_back(fmt::format(
        R"({{"name":"{}","way":"{}","connections":{},"requests":{},"p50_us":{:.2f},"p99_us":{:.2f},"per_second":{:.1f},"body_bytes":{}}})",
        name, way, connections, figures.requests, figures.p50_us, figures.p99_us,
        figures.per_second, figures.body_bytes));
}

void Report::add(const std::string& name, double value, const std::string& unit) {
    fmt::print("{:<44} {:.2f} {}\n", name, value, unit);
    std::fflush(stdout);
    rows_.push_back(
        fmt::format(R"({{"name":"{}","value":{:.3f},"unit":"{}"}})", name, value, unit));
}

void Report::missing(const std::string& name, const std::string& reason) {
    fmt::print("{:<44} not measured: {}\n", name, reason);
    std::fflush(stdout);
}

Status Report::write_json(const std::string& path) const {
    std::ofstream out(path);
    out << "{\"rows\":[\n";
    for (std::size_t i = 0; i < rows_.size(); ++i)
        out << rows_[i] << (i + 1 < rows_.size() ? ",\n" : "\n");
    out << "]}\n";
    out.flush();
    if (!out) return fail(ErrorCode::kUnavailable, "cannot write " + path);
    return {};
}

}  // namespace blixard::bench
