// Comma-separated files without quotes, as the traces are.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace blixard::bench {

struct Table {
    std::map<std::string, std::size_t> columns;
    std::vector<std::vector<std::string>> rows;

    // The number in that column, 0 if the column or the value is missing.
    double number(std::size_t row, const std::string& column) const;
    std::string text(std::size_t row, const std::string& column) const;
};

// kNotFound if the file cannot be read; kInvalid without the columns that are needed.
Result<Table> read_csv(const std::string& path, const std::vector<std::string>& needed);
Result<std::vector<std::int64_t>> read_numbers(const std::string& path);

}  // namespace blixard::bench
