// Events as they go over the wire: one change of the store becomes one server-sent event. Pure.
//
// An event's id is its revision. Where one transaction gives several events, all but the last carry
// "<revision>-<place>" instead, so that a client that is cut off between two of them loses and
// repeats nothing.
#pragma once

#include <compare>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/exchange.h"
#include "base/result.h"
#include "view/view.h"

namespace blixard::api {

// A place in the stream of all events.
struct EventPlace {
    store::Revision revision = 0;
    int within = kWhole;  // of the changes of that revision; kWhole: after all of them
    static constexpr int kWhole = std::numeric_limits<int>::max();

    auto operator<=>(const EventPlace&) const = default;
};
std::string to_text(EventPlace place);
std::optional<EventPlace> parse_event_place(std::string_view text);

struct Event {
    EventPlace place;
    std::string type;     // "vm.status"
    std::string project;  // empty where the kind lies in none
    std::string name;
    std::string text;  // with id, event and data lines
};
using EventPtr = std::shared_ptr<const Event>;

// What a client wants to hear of.
struct EventFilter {
    std::string project;  // empty or "*": all, and what lies in no project
    std::string type;     // prefix
    std::string name;
};
Result<EventFilter> parse_event_filter(const Request& request);
bool passes(const EventFilter& filter, const Event& event);

// The events of whole transactions, in order. The documents in them are those of `state`, which may
// be newer than the change.
std::vector<EventPtr> make_events(const std::vector<view::Changed>& changes,
                                  const view::Snapshot& state);

// The last words of a stream that ends for a reason.
std::string error_event(const Error& error);

}  // namespace blixard::api
