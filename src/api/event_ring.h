// The last events, encoded once and shared by all streams; bounded by number and bytes. One thread.
#pragma once

#include <cstddef>
#include <deque>

#include "api/event_text.h"

namespace blixard::api {

class EventRing {
 public:
    explicit EventRing(std::size_t most) : most_(most) {}

    // Empty: holds all events from `floor` on.
    void restart(store::Revision floor);
    void append(EventPtr event);

    // It holds every event behind `place`.
    bool reaches(EventPlace place) const;
    // The first event behind `place`; null where there is none.
    EventPtr next(EventPlace place) const;

 private:
    static constexpr std::size_t kBytesMax = 8 * 1024 * 1024;

    const std::size_t most_;
    std::deque<EventPtr> events_;  // by place
    std::size_t bytes_ = 0;
    store::Revision floor_ = 0;  // all events of this and later revisions are here
};

}  // namespace blixard::api
