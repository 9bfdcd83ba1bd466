// "--name value ..." as a map; everything else is a mistake.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench/commands.h"

namespace blixard::bench {

inline constexpr std::int64_t kCountMax = 1'000'000'000;  // beyond it somebody has mistyped

struct Options {
    std::map<std::string, std::vector<std::string>> values;

    std::string text(const std::string& name, const std::string& otherwise = {}) const;
    std::int64_t number(const std::string& name, std::int64_t otherwise) const;
    // Whole numbers from 1 to kCountMax; kInvalid names the option and the word that is none.
    Result<std::vector<std::int64_t>> counts(const std::string& name,
                                             std::vector<std::int64_t> otherwise) const;
};

// `known` are the names without dashes; a name may be followed by several values.
Result<Options> parse_options(Arguments arguments, const std::vector<std::string>& known);

}  // namespace blixard::bench
