#include "api/event_ring.h"

#include <algorithm>

#include "base/mutant.h"

namespace blixard::api {

void EventRing::restart(store::Revision floor) {
    events_.clear();
    bytes_ = 0;
    floor_ = floor;
}

void EventRing::append(EventPtr event) {
    bytes_ += event->text.size();
    events_.push_back(std::move(event));
    while (events_.size() > most_ || (bytes_ > kBytesMax && events_.size() > 1)) {
        floor_ =
            events_.front()->place.revision + 1;  // what is left of that revision is not all of it
        bytes_ -= events_.front()->text.size();
        events_.pop_front();
    }
}

bool EventRing::reaches(EventPlace place) const {
    const bool whole = place.within == EventPlace::kWhole || mutant(MutantId::kHalfRevision);
    return place.revision + (whole ? 1 : 0) >= floor_;
}

EventPtr EventRing::next(EventPlace place) const {
    const auto found = std::upper_bound(
        events_.begin(), events_.end(), place,
        [](const EventPlace& wanted, const EventPtr& event) { return wanted < event->place; });
    return found == events_.end() ? nullptr : *found;
}

}  // namespace blixard::api
