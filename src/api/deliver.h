// Callbacks that cross from one executor to another. What a callback holds (a request, its
// connection) belongs to the thread that it was made on and must die there, even though copies of
// the callback live, and die, on the other thread.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace blixard::api {

// May be copied and dropped by any thread; is called once, on its own: there and then it lets go of
// what it holds.
template <class T>
Callback<T> once(Callback<T> task) {
    auto held = std::make_shared<Callback<T>>(std::move(task));
    return [held](Result<T> result) { std::exchange(*held, nullptr)(std::move(result)); };
}

// Called once, by any thread; runs `task` on `here`.
template <class T>
Callback<T> deliver_on(Executor& here, Callback<T> task) {
    return [&here, task = once<T>(std::move(task))](Result<T> result) {
        here.post([task, result = std::move(result)]() mutable { task(std::move(result)); });
    };
}

}  // namespace blixard::api
