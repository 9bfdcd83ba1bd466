// The record of something that takes a while and that this daemon does itself (operations/<id>):
// begun with the first progress, kept up to date, and ended once. Only this daemon writes it, so
// its writes compare nothing. One write at a time, and no more often than kProgressEvery but for
// the end, which is written until the store takes it. On the loop.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/records.h"
#include "store/store.h"
#include "view/snapshot.h"

namespace blixard::daemon {

inline constexpr Millis kProgressEvery = seconds(2);
inline constexpr std::size_t kEndedOperationsKept = 20;  // of a kind and host; older ones go

class RunningOperation : public std::enable_shared_from_this<RunningOperation> {
 public:
    struct Deps {
        store::Store& store;
        Executor& executor;
        const Clock& clock;
    };
    // `begun`: kind, target, node, unit; the time is filled in. Nothing is written yet.
    RunningOperation(Deps deps, std::string id, model::Operation begun);

    void progress(std::int64_t done, std::int64_t total, std::string message);
    // Nothing where no progress was ever told: then nothing was begun that people would look for.
    void end(const Status& result);

 private:
    void write();
    void written(bool ok);

    const Deps deps_;
    const std::string id_;
    model::Operation record_;
    bool told_ = false, writing_ = false, stale_ = false, ended_ = false;
    MonoTime written_at_{};
    TimerId timer_ = 0;
};

// What a daemon of this host that ended left behind: its running operations of this kind have
// failed, and the oldest ended ones go.
store::Transaction tidy_operations(const view::Snapshot& state, const std::string& kind,
                                   const std::string& node, const std::string& now);

}  // namespace blixard::daemon
