#include "cli/sse.h"

namespace blixard::cli {

void EventReader::take_line(std::string_view line, std::vector<ServerEvent>& events) {
    if (line.empty()) {
        event_.id = last_id_;
        if (has_data_) events.push_back(std::move(event_));
        event_ = ServerEvent{};
        has_data_ = false;
        return;
    }
    if (line.front() == ':') {
        ++comments_;
        return;
    }
    std::size_t colon = line.find(':');
    std::string_view field = line.substr(0, colon);
    std::string_view value =
        colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "data") {
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    } else if (field == "event") {
        event_.type = std::string(value);
    } else if (field == "id" && value.find('\0') == std::string_view::npos) {
        last_id_ = std::string(value);
    }
}

Status EventReader::feed(std::string_view bytes, std::vector<ServerEvent>& events) {
    for (char c : bytes) {
        bool was_return = std::exchange(skip_newline_, c == '\r');
        if (c == '\n' && was_return) continue;
        if (c == '\r' || c == '\n') {
            take_line(line_, events);
            line_.clear();
        } else {
            line_ += c;
        }
        if (line_.size() + event_.data.size() > kEventBytesMax)
            return fail(ErrorCode::kTooLarge, "an event of more than 16 MiB");
    }
    return {};
}

}  // namespace blixard::cli
