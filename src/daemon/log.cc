#include "daemon/log.h"

#include <unistd.h>

#include <string>

namespace blixard::daemon {
namespace {

std::string_view level_name(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug: return "debug";
        case LogLevel::kInfo: return "info";
        case LogLevel::kWarning: return "warning";
        case LogLevel::kError: return "error";
    }
    return "info";
}

// Always quoted, so that a value can never look like another field or another line.
void append_quoted(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        } else {
            out += c;
        }
    }
    out += '"';
}

bool plain(std::string_view text) {
    if (text.empty()) return false;
    for (const char c : text)
        if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7f)
            return false;
    return true;
}

}  // namespace

void StderrLog::write(LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
    if (level < least_) return;
    std::string line;
    line.reserve(128);
    if (json_) {
        line += "{\"time\":\"" + to_rfc3339(clock_.wall()) + "\",\"level\":\"";
        line += level_name(level);
        line += "\",\"event\":";
        append_quoted(line, event);
        for (const LogField& field : fields) {
            line += ",\"";
            line += field.name;
            line += "\":";
            append_quoted(line, field.value);
        }
        line += "}\n";
    } else {
        line += to_rfc3339(clock_.wall());
        line += ' ';
        line += level_name(level);
        line += ' ';
        line += event;
        for (const LogField& field : fields) {
            line += ' ';
            line += field.name;
            line += '=';
            if (plain(field.value))
                line += field.value;
            else
                append_quoted(line, field.value);
        }
        line += '\n';
    }
    // One write per line: lines of several threads do not mix. A log that cannot be written must
    // not stop a VM.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

LogLevel parse_log_level(std::string_view name) {
    if (name == "debug") return LogLevel::kDebug;
    if (name == "warning") return LogLevel::kWarning;
    if (name == "error") return LogLevel::kError;
    return LogLevel::kInfo;
}

}  // namespace blixard::daemon
