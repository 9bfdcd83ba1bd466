#include "bench/trace/csv.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

namespace blixard::bench {
namespace {

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields(1);
    for (char c : line) {
        if (c == ',')
            fields.emplace_back();
        else if (c != '\r')
            fields.back() += c;
    }
    return fields;
}

}  // namespace

std::string Table::text(std::size_t row, const std::string& column) const {
    auto found = columns.find(column);
    if (found == columns.end() || found->second >= rows[row].size()) return {};
    return rows[row][found->second];
}

double Table::number(std::size_t row, const std::string& column) const {
    return std::strtod(text(row, column).c_str(), nullptr);
}

Result<Table> read_csv(const std::string& path, const std::vector<std::string>& needed) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::kNotFound, fmt::format("cannot read {}", path));
    Table table;
    std::string line;
    std::getline(file, line);
    for (auto& name : split(line)) table.columns.emplace(std::move(name), table.columns.size());
    for (const auto& name : needed)
        if (!table.columns.contains(name))
            return fail(ErrorCode::kInvalid, fmt::format("{} has no column {}", path, name));
    while (std::getline(file, line))
        if (!line.empty()) table.rows.push_back(split(line));
    return table;
}

Result<std::vector<std::int64_t>> read_numbers(const std::string& path) {
    std::ifstream file(path);
    if (!file) return fail(ErrorCode::kNotFound, fmt::format("cannot read {}", path));
    std::vector<std::int64_t> numbers;
    std::int64_t number = 0;
    while (file >> number) numbers.push_back(number);
    if (!file.eof())
        return fail(
            ErrorCode::kInvalid,
            fmt::format("{}: what follows number {} is no whole number", path, numbers.size()));
    return numbers;
}

}  // namespace blixard::bench
