// Whole commands as tests run them: words in, text and exit code out. For tests.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/cli.h"
#include "cli/test_server.h"
#include "cli/units.h"
#include "os/clock.h"

namespace blixard::cli {

class FixedClock final : public Clock {
 public:
    MonoTime mono() const override { return MonoTime{ms_++}; }  // each look is a millisecond later
    WallTime wall() const override { return *parse_rfc3339("2026-11-21T12:00:00Z"); }

 private:
    mutable std::int64_t ms_ = 1000;
};

struct Ran {
    int code;
    std::string out;
    std::string err;
};

inline Ran run_cli(std::vector<std::string> words,
                   const std::map<std::string, std::string, std::less<>>& variables = {}) {
    StringScreen screen;
    FixedClock clock;
    int code = run_words(words, screen, clock, [&](std::string_view name) {
        auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    });
    return {code, screen.out_text, screen.err_text};
}

inline Ran run_with(const TestServer& server, std::vector<std::string> words) {
    return run_cli(std::move(words), {{"BLIXARD_SOCKET", server.socket_path()}});
}

}  // namespace blixard::cli
