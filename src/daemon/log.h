// The daemon's log: one line per event on stderr, as text (`time level event name=value ...`) or
// JSON.
#pragma once

#include "base/log.h"
#include "base/time.h"

namespace blixard::daemon {

class StderrLog final : public Log {
 public:
    StderrLog(LogLevel least, bool json, const Clock& clock)
        : least_(least), json_(json), clock_(clock) {}
    void write(LogLevel level, std::string_view event,
               std::initializer_list<LogField> fields) override;

 private:
    const LogLevel least_;
    const bool json_;
    const Clock& clock_;
};

LogLevel parse_log_level(std::string_view name);  // an unknown name: info

}  // namespace blixard::daemon
