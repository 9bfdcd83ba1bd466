// Past changes out of the store, for a client that resumes further back than the ring reaches: a
// watch from there, read no faster than it is taken.
//
// Threads: used on the API's executor; the watch itself lives on the view's.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "api/crossing.h"
#include "store/store.h"
#include "view/view.h"

namespace blixard::api {

class EventHistory {
 public:
    // `more`: something has come, or the end (error()).
    EventHistory(store::Store& store, Crossing& crossing, store::Revision from,
                 std::function<void()> more);
    ~EventHistory();

    // The changes of one or more whole transactions; empty where none have come yet.
    std::vector<view::Changed> take();
    bool empty() const { return queue_.empty(); }
    // Everything up to here has been taken.
    store::Revision taken() const { return taken_; }
    const std::optional<Error>& error() const { return error_; }

 private:
    class Watch;

    void start();
    void stop();
    void arrived(std::vector<view::Changed> changes, store::Revision revision);
    void ended(Error error);

    store::Store& store_;
    Crossing& crossing_;
    std::function<void()> more_;
    std::shared_ptr<EventHistory*> self_;  // what the watch reports to; emptied when this goes
    std::shared_ptr<Watch> watch_;         // null: enough is queued
    struct Part {
        std::vector<view::Changed> changes;
        store::Revision revision = 0;
    };
    std::deque<Part> queue_;
    std::size_t queued_bytes_ = 0;
    store::Revision queued_ = 0;  // everything up to here is queued or taken
    store::Revision taken_ = 0;
    std::optional<Error> error_;
};

}  // namespace blixard::api
