// The store for threads that wait: each call waits for its answer. Never on the store's executor.
#pragma once

#include <future>
#include <memory>

#include "store/store.h"

namespace blixard::cluster {

inline constexpr Millis kStoreWaitMax = seconds(15);  // longer than any request of the adapters

// Starts something that calls back once, and waits. kTimeout: it did not, in time.
template <class T, class Start>
Result<T> await(Start start, Millis limit = kStoreWaitMax) {
    auto promise = std::make_shared<std::promise<Result<T>>>();
    auto answer = promise->get_future();
    start([promise](Result<T> result) { promise->set_value(std::move(result)); });
    if (answer.wait_for(std::chrono::milliseconds(limit.count)) != std::future_status::ready)
        return fail(ErrorCode::kTimeout,
                    "no answer in " + std::to_string(limit.count / 1000) + " s");
    return answer.get();
}

inline Result<store::Committed> commit_now(store::Store& store, store::Transaction transaction) {
    return await<store::Committed>(
        [&](auto done) { store.commit(std::move(transaction), std::move(done)); });
}

inline Result<store::RangeResult> read_now(store::Store& store, store::Range range) {
    return await<store::RangeResult>(
        [&](auto done) { store.read(std::move(range), std::move(done)); });
}

// All keys under `prefix` at one revision.
inline Result<store::RangeResult> read_all(store::Store& store, const std::string& prefix) {
    static constexpr std::size_t kPageKeys = 1000;
    store::RangeResult all;
    while (true) {
        const std::string after = all.items.empty() ? std::string() : all.items.back().key;
        ASSIGN_OR_RETURN(auto page, read_now(store, {prefix, after, kPageKeys, all.revision}));
        all.revision = page.revision;
        for (auto& item : page.items) all.items.push_back(std::move(item));
        if (!page.more) return all;
    }
}

}  // namespace blixard::cluster
