#include "sim/trace.h"

namespace blixard::sim {

void Trace::mix(std::string_view bytes) {
    for (const char byte : bytes)
        hash_ = (hash_ ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
}

void Trace::mix(std::uint64_t number) { hash_ = (hash_ ^ number) * 0x100000001b3; }

void Trace::add(std::string_view host, std::string_view text) { add(host, text, {}); }

void Trace::add(std::string_view host, std::string_view event,
                std::initializer_list<LogField> fields) {
    mix(static_cast<std::uint64_t>(clock_.mono().ms));
    mix(host);
    mix(event);
    for (const LogField& field : fields) mix(field.value);
    if (!keep_) return;
    std::string text(event);
    for (const LogField& field : fields)
        text.append(" ").append(field.name).append("=").append(field.value);
    lines_.push_back({clock_.mono().ms, std::string(host), std::move(text)});
}

void TraceLog::write(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
    if (level == LogLevel::kError) ++errors;
    trace_.add(host_, event, fields);
}

}  // namespace blixard::sim
