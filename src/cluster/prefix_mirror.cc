#include "cluster/prefix_mirror.h"

namespace blixard::cluster {
namespace {

constexpr std::size_t kPageKeys = 1000;
constexpr Millis kRetryAfter{500};

}  // namespace

PrefixMirror::PrefixMirror(store::Store& store, Executor& executor, std::string prefix,
                           std::function<void(const PrefixMirror&)> changed)
    : store_(store),
      executor_(executor),
      prefix_(std::move(prefix)),
      changed_(std::move(changed)) {}

PrefixMirror::~PrefixMirror() {
    executor_.cancel(retry_timer_);
    if (watch_ != 0) store_.unwatch(watch_);
}

void PrefixMirror::start() {
    loading_.clear();
    load({}, 0);
}

void PrefixMirror::retry() {
    retry_timer_ = executor_.after(kRetryAfter, [this] {
        retry_timer_ = 0;
        start();
    });
}

void PrefixMirror::load(std::string after, store::Revision at) {
    store_.read({prefix_, std::move(after), kPageKeys, at},
                [this, alive = std::weak_ptr<char>(alive_)](Result<store::RangeResult> page) {
                    if (alive.expired()) return;
                    if (!page) return retry();
                    for (auto& item : page->items) loading_[item.key] = item;
                    if (page->more) return load(page->items.back().key, page->revision);
                    items_ = std::exchange(loading_, {});
                    revision_ = page->revision;
                    loaded_ = true;
                    watch_ = store_.watch(prefix_, revision_ + 1, *this);
                    changed_(*this);
                });
}

void PrefixMirror::on_batch(store::WatchBatch batch) {
    revision_ = batch.revision;
    for (store::Change& change : batch.changes) {
        if (change.deleted)
            items_.erase(change.item.key);
        else
            items_[change.item.key] = std::move(change.item);
    }
    if (!batch.changes.empty()) changed_(*this);
}

void PrefixMirror::on_end(Error error) {
    watch_ = 0;
    if (error.code == ErrorCode::kCompacted) retry();
}

}  // namespace blixard::cluster
