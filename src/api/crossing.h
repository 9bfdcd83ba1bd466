// The way between the API's executor and that of the view and the store.
//
// Threads: made, used and destroyed on the API's executor. What comes back after it was destroyed
// is dropped.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "api/deliver.h"
#include "base/result.h"
#include "base/time.h"
#include "view/view.h"

namespace blixard::api {

class Crossing {
 public:
    Crossing(Executor& here, Executor& there, view::View& view)
        : here_(here), there_(there), view_(view) {}

    Executor& here() const { return here_; }
    Executor& there() const { return there_; }
    view::View& view() const { return view_; }

    // A callback for the other side that runs `task` on this one.
    template <class T, class Task>
    Callback<T> back(Task task) const {
        return deliver_on<T>(here_, [alive = std::weak_ptr(alive_),
                                     task = std::move(task)](Result<T> result) mutable {
            if (!alive.expired()) task(std::move(result));
        });
    }

    // Runs `task` on this side later, unless this is gone by then.
    std::function<void()> guarded(std::function<void()> task) const {
        return [alive = std::weak_ptr(alive_), task = std::move(task)] {
            if (!alive.expired()) task();
        };
    }
    TimerId after(Millis delay, std::function<void()> task) const {
        return here_.after(delay, guarded(std::move(task)));
    }

    // Runs `then` here once the view has reached `revision`; with a kTimeout error if it has not
    // within `patience`.
    void when_at(store::Revision revision, Millis patience, std::function<void(Status)> then) const;

 private:
    Executor& here_;
    Executor& there_;
    view::View& view_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace blixard::api
