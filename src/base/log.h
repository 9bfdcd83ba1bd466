// Structured logs as a port: one event per line, its vm, node, epoch and revision as fields.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace blixard {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogField {
    std::string_view name;
    std::string value;

    LogField(std::string_view field, std::string text) : name(field), value(std::move(text)) {}
    LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
    LogField(std::string_view field, const char* text) : name(field), value(text) {}
    template <class Integer>
        requires std::is_integral_v<Integer>
    LogField(std::string_view field, Integer number) : name(field), value(std::to_string(number)) {}
};

// Where log lines go. Any thread. The daemon writes them to stderr (logfmt or JSON), the simulation
// into its trace.
class Log {
 public:
    virtual ~Log() = default;
    virtual void write(LogLevel level, std::string_view event,
                       std::initializer_list<LogField> fields) = 0;

    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::kDebug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::kInfo, event, fields);
    }
    void warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::kWarning, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
        write(LogLevel::kError, event, fields);
    }
};

// Writes nothing: for tests that do not look.
class NullLog final : public Log {
 public:
    void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace blixard
