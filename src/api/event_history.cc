#include "api/event_history.h"

namespace blixard::api {
namespace {

constexpr std::size_t kQueueBytesMax = 2 * 1024 * 1024;  // a slow client costs this much, no more

std::size_t bytes_of(const std::vector<view::Changed>& changes) {
    std::size_t bytes = 0;
    for (const view::Changed& change : changes)
        bytes += change.value.size() + change.key.size() + 64;
    return bytes;
}

}  // namespace

// Lives on the view's executor from begin() to finish(); both are posted there.
class EventHistory::Watch final : public store::WatchHandler,
                                  public std::enable_shared_from_this<Watch> {
 public:
    Watch(store::Store& store, Executor& back, std::weak_ptr<EventHistory*> reports_to)
        : store_(store), back_(back), reports_to_(std::move(reports_to)) {}

    void begin(store::Revision from) { id_ = store_.watch("", from, *this); }
    void finish() {
        if (id_ != 0) store_.unwatch(std::exchange(id_, 0));
    }

    void on_batch(store::WatchBatch batch) override {
        auto changes = std::make_shared<std::vector<view::Changed>>();
        changes->reserve(batch.changes.size());
        for (store::Change& change : batch.changes)
            changes->push_back(view::describe_change(std::move(change)));
        back_.post([self = shared_from_this(), changes, revision = batch.revision] {
            if (EventHistory* history = self->listener())
                history->arrived(std::move(*changes), revision);
        });
    }
    void on_end(Error error) override {
        id_ = 0;
        back_.post([self = shared_from_this(), error = std::move(error)] {
            if (EventHistory* history = self->listener()) history->ended(error);
        });
    }

 private:
    // Null where nobody listens any more. The other side's executor.
    EventHistory* listener() const {
        const auto listener = reports_to_.lock();
        return listener && (*listener)->watch_.get() == this ? *listener : nullptr;
    }

    store::Store& store_;
    Executor& back_;
    const std::weak_ptr<EventHistory*> reports_to_;
    store::WatchId id_ = 0;
};

EventHistory::EventHistory(store::Store& store, Crossing& crossing, store::Revision from,
                           std::function<void()> more)
    : store_(store),
      crossing_(crossing),
      more_(std::move(more)),
      self_(std::make_shared<EventHistory*>(this)),
      queued_(from - 1),
      taken_(from - 1) {
    start();
}

EventHistory::~EventHistory() { stop(); }

void EventHistory::start() {
    watch_ = std::make_shared<Watch>(store_, crossing_.here(), self_);
    crossing_.there().post([watch = watch_, from = queued_ + 1] { watch->begin(from); });
}

void EventHistory::stop() {
    if (!watch_) return;
    crossing_.there().post([watch = std::move(watch_)] { watch->finish(); });
    watch_ = nullptr;
}

void EventHistory::arrived(std::vector<view::Changed> changes, store::Revision revision) {
    queued_ = revision;
    queued_bytes_ += bytes_of(changes);
    queue_.push_back({std::move(changes), revision});
    if (queued_bytes_ > kQueueBytesMax) stop();
    const auto more = more_;  // it may be the end of this
    more();
}

void EventHistory::ended(Error error) {
    watch_ = nullptr;
    error_ = std::move(error);
    const auto more = more_;
    more();
}

std::vector<view::Changed> EventHistory::take() {
    if (queue_.empty()) return {};
    Part part = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= bytes_of(part.changes);
    taken_ = part.revision;
    if (queue_.empty() && !watch_ && !error_) start();
    return std::move(part.changes);
}

}  // namespace blixard::api
