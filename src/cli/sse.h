// Server-sent events (the HTML standard, section 9.2.6) as bytes come in. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::cli {

struct ServerEvent {
    std::string id;  // the last one seen, also where this event has none of its own
    std::string type = "message";
    std::string data;  // lines joined by \n

    bool operator==(const ServerEvent&) const = default;
};

class EventReader {
 public:
    static constexpr std::size_t kEventBytesMax = 16 * 1024 * 1024;
    // Appends the events that `bytes` complete.
    Status feed(std::string_view bytes, std::vector<ServerEvent>& events);
    // Comments ("keep-alive") seen so far.
    std::size_t comments() const { return comments_; }

 private:
    void take_line(std::string_view line, std::vector<ServerEvent>& events);

    std::string line_;
    bool skip_newline_ = false;  // behind a CR
    ServerEvent event_;
    std::string last_id_;
    bool has_data_ = false;
    std::size_t comments_ = 0;
};

}  // namespace blixard::cli
