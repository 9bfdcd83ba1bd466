// All keys under a prefix, in memory, kept by the store's watch: read whole once, then followed;
// read anew when the history it would need was compacted. Everything on the store's executor.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/time.h"
#include "store/store.h"

namespace blixard::cluster {

class PrefixMirror final : private store::WatchHandler {
 public:
    using Items = std::map<std::string, store::KeyValue>;

    // `changed`: after every change, and when all was read.
    PrefixMirror(store::Store& store, Executor& executor, std::string prefix,
                 std::function<void(const PrefixMirror&)> changed);
    ~PrefixMirror() override;

    void start();

    bool loaded() const { return loaded_; }
    store::Revision revision() const { return revision_; }
    const Items& items() const { return items_; }

 private:
    void load(std::string after, store::Revision at);
    void retry();
    void on_batch(store::WatchBatch batch) override;
    void on_end(Error error) override;

    store::Store& store_;
    Executor& executor_;
    const std::string prefix_;
    const std::function<void(const PrefixMirror&)> changed_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    Items items_, loading_;
    bool loaded_ = false;
    store::Revision revision_ = 0;
    store::WatchId watch_ = 0;
    TimerId retry_timer_ = 0;
};

}  // namespace blixard::cluster
