// The daemon's state in memory, kept by the store's watch. One writer (the store's executor), any
// number of readers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "model/keys.h"
#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::view {

// One key that changed, for those who react to changes instead of looking at everything.
struct Changed {
    model::RecordKind kind = model::RecordKind::kOther;
    std::string key;  // the store key
    std::string project, name;
    bool deleted = false;
    bool created = false;
    Revision revision = 0;
    std::string value;  // as stored; empty where deleted
};
Changed describe_change(store::Change change);

// All changes of one or more whole transactions, and the state after them.
struct Update {
    SnapshotPtr snapshot;
    std::vector<Changed> changes;
    bool reloaded = false;  // the state was read anew: look at everything, `changes` is empty
};

class Steps;

class View final : private store::WatchHandler {
 public:
    // Runs on `executor`, which must be the store's. `steps`: what views of one process share; it
    // outlives them.
    View(store::Store& store, Executor& executor, const Clock& clock, Log& log,
         Steps* steps = nullptr);
    ~View() override;

    // Reads everything, then follows the watch. `ready` is called once, when the first state is
    // there.
    void start(std::function<void(Status)> ready);
    void stop();
    // Instead of start(): the state is known, and the watch goes on behind it.
    void resume(const Snapshot& state);

    SnapshotPtr current() const;  // any thread
    MonoTime fresh_at() const;    // when the store was last heard of; executor thread

    // Called on the executor after each update, in the order of subscription; executor thread.
    void subscribe(std::function<void(const std::shared_ptr<const Update>&)> listener);

    // Runs `then` as soon as the state is at `revision` or later; executor thread.
    void when_at(Revision revision, std::function<void()> then);

 private:
    void load_page(std::string after, Revision at);
    void loaded(Revision revision);
    void on_batch(store::WatchBatch batch) override;
    void on_end(Error error) override;
    void restart_after(Millis delay);
    void publish(std::shared_ptr<Update> update);
    void tell(const std::shared_ptr<const Update>& update);
    Snapshot& next();

    store::Store& store_;
    Executor& executor_;
    const Clock& clock_;
    Log& log_;
    Steps* const steps_;
    Revision compared_at_ = 0;  // of `steps_`
    std::function<void(Status)> ready_;
    std::shared_ptr<Snapshot>
        next_;  // being built; never seen by readers; null: as the present one
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    bool loading_ = false;
    bool stopped_ = false;
    store::WatchId watch_ = 0;
    MonoTime fresh_at_{};
    std::vector<std::function<void(const std::shared_ptr<const Update>&)>> listeners_;
    std::multimap<Revision, std::function<void()>> waiting_;
    std::string unread_said_;  // why the state could not be read, as last logged
    std::atomic<SnapshotPtr> current_;
};

// Applies one change of the store to a state: the whole of what the view knows about keys. Pure but
// for `log`.
void apply_change(Snapshot& state, const store::KeyValue& item, bool deleted, Log& log);

}  // namespace blixard::view
