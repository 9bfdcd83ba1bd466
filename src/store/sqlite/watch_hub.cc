#include "store/sqlite/watch_hub.h"

#include <algorithm>

namespace blixard::store {

WatchId WatchHub::add(std::string prefix, Revision from, WatchHandler& handler) {
    auto watch = std::make_shared<Watch>();
    watch->prefix = std::move(prefix);
    watch->next = std::max<Revision>(from, 1);
    watch->handler = &handler;
    std::lock_guard lock(mutex_);
    watches_[++last_] = std::move(watch);
    return last_;
}

void WatchHub::remove(WatchId id) {
    std::lock_guard lock(mutex_);
    watches_.erase(id);
}

WatchHub::WatchPtr WatchHub::find(WatchId id) {
    std::lock_guard lock(mutex_);
    auto found = watches_.find(id);
    return found == watches_.end() ? nullptr : found->second;
}

std::map<WatchId, WatchHub::WatchPtr> WatchHub::all() {
    std::lock_guard lock(mutex_);
    return watches_;
}

void WatchHub::start(WatchId id) {
    if (auto watch = find(id)) advance(id, *watch);
}

void WatchHub::advance(WatchId id, Watch& watch) {
    watch.live = watch.next > published_;
    if (!watch.live) read_log_(id, watch.prefix, watch.next);
}

void WatchHub::publish(const std::vector<Change>& changes, Revision revision) {
    published_ = std::max(published_, revision);
    for (auto& [id, watch] : all()) {
        if (!watch->live || watch->next > revision || !find(id)) continue;
        WatchBatch batch{.revision = revision};
        for (const Change& change : changes) {
            const bool wanted = change.item.mod_revision >= watch->next;
            if (wanted && change.item.key.starts_with(watch->prefix))
                batch.changes.push_back(change);
        }
        watch->next = revision + 1;
        watch->handler->on_batch(std::move(batch));
    }
}

void WatchHub::caught_up(WatchId id, Result<LogPart> part) {
    auto watch = find(id);
    if (!watch) return;
    if (!part) return end(id, *watch, part.error());
    if (part->upto >= watch->next) {
        watch->next = part->upto + 1;
        watch->handler->on_batch({std::move(part->changes), part->upto});
    }
    if (find(id)) advance(id, *watch);
}

void WatchHub::end(WatchId id, Watch& watch, const Error& error) {
    remove(id);
    watch.handler->on_end(error);
}

void WatchHub::end_all(const Error& error) {
    for (auto& [id, watch] : all()) {
        if (find(id)) end(id, *watch, error);
    }
}

}  // namespace blixard::store
