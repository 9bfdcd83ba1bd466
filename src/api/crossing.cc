#include "api/crossing.h"

#include <fmt/format.h>

namespace blixard::api {

void Crossing::when_at(store::Revision revision, Millis patience,
                       std::function<void(Status)> then) const {
    if (view_.current()->revision >= revision) return then({});
    struct Waiting {
        std::function<void(Status)> then;
        TimerId timer = 0;
    };
    auto waiting = std::make_shared<Waiting>();
    waiting->then = std::move(then);
    waiting->timer = after(patience, [waiting, revision, patience] {
        if (auto late = std::exchange(waiting->then, nullptr))
            late(fail(ErrorCode::kTimeout,
                      fmt::format("this daemon has not seen revision {} of the store within {} s",
                                  revision, patience.count / 1000),
                      "ask again, or ask another host: this one may be cut off from the store"));
    });
    auto reached = [this, waiting] {
        here_.cancel(waiting->timer);
        if (auto now = std::exchange(waiting->then, nullptr)) now({});
    };
    there_.post([&view = view_, &here = here_, revision, reached = guarded(std::move(reached))] {
        view.when_at(revision, [&here, reached] { here.post(reached); });
    });
}

}  // namespace blixard::api
