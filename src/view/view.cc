#include "view/view.h"

#include "base/assert.h"
#include "base/mutant.h"
#include "view/apply.h"
#include "view/steps.h"

namespace blixard::view {
namespace {

constexpr std::size_t kPageItems =
    20'000;  // of the first read; what short ones cost etcd: store/etcd/page_size.h
constexpr Millis kReloadDelay =
    seconds(1);  // between attempts to read the state while the store is not there

}  // namespace

Changed describe_change(store::Change change) {
    const model::ParsedKey key = model::parse_key(change.item.key);
    Changed changed{
        .kind = key.kind,
        .project = std::string(key.project),
        .name = std::string(key.name),
        .deleted = change.deleted,
        .created = !change.deleted && change.item.create_revision == change.item.mod_revision,
        .revision = change.item.mod_revision,
        .value = std::move(change.item.value)};
    changed.key = std::move(change.item.key);  // last: the others were views into it
    return changed;
}

View::View(store::Store& store, Executor& executor, const Clock& clock, Log& log, Steps* steps)
    : store_(store), executor_(executor), clock_(clock), log_(log), steps_(steps) {
    current_.store(std::make_shared<const Snapshot>());
}

View::~View() { stop(); }

void View::stop() {
    stopped_ = true;
    alive_.reset();
    if (watch_ != 0) store_.unwatch(watch_);
    watch_ = 0;
}

void View::start(std::function<void(Status)> ready) {
    ready_ = std::move(ready);
    loading_ = true;
    next_ = std::make_shared<Snapshot>();
    load_page("", 0);
}

void View::resume(const Snapshot& state) {
    next_ = std::make_shared<Snapshot>(state);
    current_.store(std::make_shared<const Snapshot>(state));
    fresh_at_ = clock_.mono();
    watch_ = store_.watch("", state.revision + 1, *this);
}

SnapshotPtr View::current() const { return current_.load(); }
MonoTime View::fresh_at() const { return fresh_at_; }

void View::subscribe(std::function<void(const std::shared_ptr<const Update>&)> listener) {
    listeners_.push_back(std::move(listener));
}

void View::when_at(Revision revision, std::function<void()> then) {
    if (current_.load()->revision >= revision)
        then();
    else
        waiting_.emplace(revision, std::move(then));
}

void View::load_page(std::string after, Revision at) {
    store_.read(store::Range{.after = std::move(after), .limit = kPageItems, .at = at},
                [this, weak = std::weak_ptr(alive_)](Result<store::RangeResult> page) {
                    if (weak.expired()) return;
                    if (!page) {
                        if (const std::string why = describe(page.error()); why != unread_said_) {
                            log_.warn("state not read yet", {{"error", why}});
                            unread_said_ = why;  // and is not said again at each attempt
                        }
                        restart_after(kReloadDelay);
                        return;
                    }
                    // The store reads the next page while this one is taken up.
                    if (page->more) load_page(page->items.back().key, page->revision);
                    apply_items(next(), page->items, log_);
                    if (!page->more) loaded(page->revision);
                });
}

void View::restart_after(Millis delay) {
    executor_.after(delay, [this, weak = std::weak_ptr(alive_)] {
        if (weak.expired()) return;
        if (!mutant(MutantId::kReloadKeepsOld)) next_ = std::make_shared<Snapshot>();
        load_page("", 0);
    });
}

void View::loaded(Revision revision) {
    loading_ = false;
    next().revision = revision;
    auto update = std::make_shared<Update>();
    update->reloaded = true;
    fresh_at_ = clock_.mono();
    watch_ = store_.watch("", revision + (mutant(MutantId::kWatchGap) ? 2 : 1), *this);
    publish(std::move(update));
    if (ready_) std::exchange(ready_, nullptr)(Status{});
}

void View::on_batch(store::WatchBatch batch) {
    fresh_at_ = clock_.mono();
    const SnapshotPtr before = current_.load();
    if (batch.revision <= before->revision) return;
    if (auto known = steps_ ? steps_->find(before, batch) : nullptr) {
        next_.reset();
        return tell(known);
    }
    auto update = std::make_shared<Update>();
    update->changes.reserve(batch.changes.size());
    for (store::Change& change : batch.changes) {
        ASSERT(change.item.mod_revision > before->revision);
        apply_change(next(), change.item, change.deleted, log_);
        update->changes.push_back(describe_change(std::move(change)));
    }
    next().revision = batch.revision;
    publish(std::move(update));
}

void View::on_end(Error error) {
    watch_ = 0;
    if (stopped_) return;
    log_.warn("watch ended, reading the state anew", {{"error", describe(error)}});
    loading_ = true;
    restart_after(error.code == ErrorCode::kCompacted ? Millis{0} : kReloadDelay);
}

void View::publish(std::shared_ptr<Update> update) {
    update->snapshot = std::make_shared<const Snapshot>(next());
    if (steps_) {
        const SnapshotPtr own = update->snapshot;
        update->snapshot = steps_->settle(own, compared_at_);
        if (update->snapshot != own) next_.reset();
        if (!update->reloaded) steps_->add(current_.load(), update);
    }
    tell(update);
}

Snapshot& View::next() {
    if (!next_) next_ = std::make_shared<Snapshot>(*current_.load());
    return *next_;
}

void View::tell(const std::shared_ptr<const Update>& done) {
    current_.store(done->snapshot);
    for (const auto& listener : listeners_) listener(done);
    while (!waiting_.empty() && waiting_.begin()->first <= done->snapshot->revision) {
        auto then = std::move(waiting_.begin()->second);
        waiting_.erase(waiting_.begin());
        then();
    }
}

}  // namespace blixard::view
