// What happened, in order: always as one hash, and as lines where a story is to be told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/time.h"

namespace blixard::sim {

struct TraceLine {
    std::int64_t at_ms = 0;
    std::string host;  // empty: the world
    std::string text;
};

class Trace {
 public:
    Trace(const Clock& clock, bool keep) : clock_(clock), keep_(keep) {}

    void add(std::string_view host, std::string_view text);
    void add(std::string_view host, std::string_view event, std::initializer_list<LogField> fields);
    // A line that does not count in the hash: where lines are not kept, it is not made.
    void note(std::string text) {
        if (keep_) lines_.push_back({clock_.mono().ms, {}, std::move(text)});
    }
    // Counts in the hash, and is no line.
    void mix(std::string_view bytes);
    void mix(std::uint64_t number);

    bool keeps() const { return keep_; }
    std::uint64_t hash() const { return hash_; }
    const std::vector<TraceLine>& lines() const { return lines_; }

 private:
    const Clock& clock_;
    const bool keep_;
    std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
    std::vector<TraceLine> lines_;
};

// A daemon's log, into the trace.
class TraceLog final : public Log {
 public:
    TraceLog(Trace& trace, std::string host) : trace_(trace), host_(std::move(host)) {}
    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) override;

    std::uint64_t errors = 0;

 private:
    Trace& trace_;
    const std::string host_;
};

}  // namespace blixard::sim
