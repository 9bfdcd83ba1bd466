#include "bench/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace blixard::bench {

std::string Options::text(const std::string& name, const std::string& otherwise) const {
    auto found = values.find(name);
    return found == values.end() || found->second.empty() ? otherwise : found->second.front();
}

std::int64_t Options::number(const std::string& name, std::int64_t otherwise) const {
    auto value = text(name);
    return value.empty() ? otherwise : std::strtoll(value.c_str(), nullptr, 10);
}

Result<std::vector<std::int64_t>> Options::counts(const std::string& name,
                                                  std::vector<std::int64_t> otherwise) const {
    auto found = values.find(name);
    if (found == values.end()) return otherwise;
    std::vector<std::int64_t> counts;
    for (const auto& word : found->second) {
        std::int64_t count = 0;
        auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), count);
        if (error != std::errc{} || end != word.data() + word.size() || count < 1 ||
            count > kCountMax)
            return fail(ErrorCode::kInvalid, fmt::format("--{} {}: not a whole number", name, word),
                        fmt::format("give numbers from 1 to {}", kCountMax));
        counts.push_back(count);
    }
    if (counts.empty())
        return fail(ErrorCode::kInvalid, fmt::format("--{} has no value", name),
                    fmt::format("give numbers from 1 to {}", kCountMax));
    return counts;
}

Result<Options> parse_options(Arguments arguments, const std::vector<std::string>& known) {
    Options options;
    std::vector<std::string>* current = nullptr;
    for (const auto& argument : arguments) {
        if (argument.rfind("--", 0) == 0) {
            auto name = argument.substr(2);
            if (std::find(known.begin(), known.end(), name) == known.end())
                return fail(ErrorCode::kInvalid, fmt::format("unknown option {}", argument),
                            fmt::format("use --{}", fmt::join(known, ", --")));
            current = &options.values[name];
        } else if (current == nullptr) {
            return fail(ErrorCode::kInvalid, fmt::format("what is {}?", argument));
        } else {
            current->push_back(argument);
        }
    }
    return options;
}

}  // namespace blixard::bench
