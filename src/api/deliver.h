// Callbacks that cross from one executor to another. What a callback holds (a request, its
// connection) belongs to the thread that it was made on and must die there, even though copies of
// the callback live, and die, on the other thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace blixard::api {

// A callback that may be copied, dropped and called by any thread, and is called once; runs `task`
// on `here`, which there and then lets go of what it holds.
template <class T, class Task>
Callback<T> deliver_on(Executor& here, Task task) {
    auto held = std::make_shared<std::optional<Task>>(std::move(task));
    return [&here, held = std::move(held)](Result<T> result) {
        here.post([held, result = std::move(result)]() mutable {
            (**held)(std::move(result));
            held->reset();
        });
    };
}

}  // namespace blixard::api
