#include "daemon/running_operation.h"

#include <algorithm>

#include "model/documents.h"
#include "model/keys.h"

namespace blixard::daemon {
namespace {

constexpr std::size_t kTidiedMax = 100;  // in one transaction; the next start does the rest

}  // namespace

RunningOperation::RunningOperation(Deps deps, std::string id, model::Operation begun)
    : deps_(deps), id_(std::move(id)), record_(std::move(begun)) {
    record_.created_at = to_rfc3339(deps_.clock.wall());
}

void RunningOperation::progress(std::int64_t done, std::int64_t total, std::string message) {
    if (ended_) return;
    told_ = true;
    record_.done = done;
    record_.total = total;
    record_.message = std::move(message);
    write();
}

void RunningOperation::end(const Status& result) {
    if (ended_ || !told_) return;
    ended_ = true;
    record_.state = result ? model::OperationState::kDone : model::OperationState::kFailed;
    record_.ended_at = to_rfc3339(deps_.clock.wall());
    if (!result) record_.message = describe(result.error());
    deps_.executor.cancel(timer_);
    timer_ = 0;
    write();
}

void RunningOperation::write() {
    stale_ = true;
    if (writing_ || timer_ != 0) return;
    const MonoTime due = written_at_ + kProgressEvery;
    const MonoTime now = deps_.clock.mono();
    if (!ended_ && written_at_.ms != 0 && now < due) {
        timer_ = deps_.executor.after(due - now, [self = shared_from_this()] {
            self->timer_ = 0;
            self->write();
        });
        return;
    }
    stale_ = false;
    writing_ = true;
    written_at_ = now;
    store::Transaction put;
    put.puts.push_back({.key = model::operation_key(id_), .value = model::to_json(record_)});
    deps_.store.commit(std::move(put),
                       [self = shared_from_this()](const Result<store::Committed>& done) {
                           self->written(done.has_value());
                       });
}

void RunningOperation::written(bool ok) {
    writing_ = false;
    if (ok && !stale_) return;
    stale_ = true;
    if (ok) return write();
    timer_ = deps_.executor.after(kProgressEvery, [self = shared_from_this()] {
        self->timer_ = 0;
        self->write();
    });
}

store::Transaction tidy_operations(const view::Snapshot& state, const std::string& kind,
                                   const std::string& node, const std::string& now) {
    store::Transaction tidy;
    std::vector<std::pair<std::string, std::string>> ended;  // (when, id)
    state.operations.for_each([&](const std::shared_ptr<const view::OperationEntry>& entry) {
        model::Operation record = entry->record->value;
        if (record.kind != kind || record.node != node || tidy.puts.size() >= kTidiedMax) return;
        if (record.state != model::OperationState::kRunning) {
            ended.emplace_back(record.ended_at, entry->key);
            return;
        }
        record.state = model::OperationState::kFailed;
        record.ended_at = now;
        record.message =
            "the daemon ended meanwhile; what had been done is kept, and the next attempt goes on "
            "from there";
        tidy.puts.push_back(
            {.key = model::operation_key(entry->key), .value = model::to_json(record)});
    });
    if (ended.size() <= kEndedOperationsKept) return tidy;
    std::sort(ended.begin(), ended.end());
    ended.resize(std::min(ended.size() - kEndedOperationsKept, kTidiedMax - tidy.puts.size()));
    for (const auto& [when, id] : ended) tidy.deletes.push_back(model::operation_key(id));
    return tidy;
}

}  // namespace blixard::daemon
