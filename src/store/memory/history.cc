#include "store/memory/history.h"

#include <algorithm>

namespace blixard::store {
namespace {

// The version that was current at `revision`, or null.
const Change* version_at(const std::vector<Change>& versions, Revision revision) {
    auto later =
        std::upper_bound(versions.begin(), versions.end(), revision,
                         [](Revision r, const Change& c) { return r < c.item.mod_revision; });
    return later == versions.begin() ? nullptr : &*std::prev(later);
}

bool under(std::string_view key, std::string_view prefix) { return key.starts_with(prefix); }

}  // namespace

const KeyValue* History::find(const std::string& key) const {
    auto found = keys_.find(key);
    if (found == keys_.end() || found->second.back().deleted) return nullptr;
    return &found->second.back().item;
}

bool History::holds(const Compare& compare) const {
    const KeyValue* current = find(compare.key);
    return (current ? current->mod_revision : 0) == compare.mod_revision;
}

void History::record(Change change) {
    log_[change.item.mod_revision].push_back(change);
    auto& versions = keys_[change.item.key];
    versions.push_back(std::move(change));
}

Committed History::apply(const Transaction& transaction) {
    for (const Compare& compare : transaction.compares) {
        if (!holds(compare)) return {.succeeded = false, .revision = revision_};
    }
    const Revision next = revision_ + 1;
    bool changed = false;
    for (const Put& put : transaction.puts) {
        const KeyValue* old = find(put.key);
        const Revision created = old ? old->create_revision : next;
        record({.deleted = false, .item = {put.key, put.value, created, next, put.lease}});
        changed = true;
    }
    for (const std::string& key : transaction.deletes) {
        if (!find(key)) continue;
        record({.deleted = true, .item = {.key = key, .mod_revision = next}});
        changed = true;
    }
    if (changed) revision_ = next;
    return {.succeeded = true, .revision = revision_};
}

Result<RangeResult> History::read(const Range& range) const {
    const Revision at = range.at ? range.at : revision_;
    if (at < compacted_) {
        return fail(ErrorCode::kCompacted, "revision " + std::to_string(at) +
                                               " is no longer kept; the oldest is " +
                                               std::to_string(compacted_));
    }
    if (at > revision_) {
        return fail(ErrorCode::kInvalid, "revision " + std::to_string(at) +
                                             " does not exist yet; the newest is " +
                                             std::to_string(revision_));
    }
    RangeResult result{.revision = at};
    auto key = range.after < range.prefix ? keys_.lower_bound(range.prefix)
                                          : keys_.lower_bound(range.after);
    for (; key != keys_.end() && under(key->first, range.prefix); ++key) {
        if (!range.after.empty() && key->first <= range.after) continue;
        const Change* version = version_at(key->second, at);
        if (!version || version->deleted) continue;
        if (range.limit && result.items.size() == range.limit) {
            result.more = true;
            break;
        }
        result.items.push_back(version->item);
    }
    return result;
}

Result<std::vector<Change>> History::changes(std::string_view prefix, Revision from,
                                             Revision to) const {
    if (from < compacted_) {
        return fail(ErrorCode::kCompacted, "changes from revision " + std::to_string(from) +
                                               " are no longer kept; the oldest are from " +
                                               std::to_string(compacted_));
    }
    std::vector<Change> result;
    for (auto entry = log_.lower_bound(from); entry != log_.end() && entry->first <= to; ++entry) {
        for (const Change& change : entry->second) {
            if (under(change.item.key, prefix)) result.push_back(change);
        }
    }
    return result;
}

Status History::compact(Revision revision) {
    if (revision > revision_) {
        return fail(ErrorCode::kInvalid, "cannot compact to revision " + std::to_string(revision) +
                                             "; the newest is " + std::to_string(revision_));
    }
    if (revision <= compacted_) {
        return fail(ErrorCode::kCompacted,
                    "already compacted to revision " + std::to_string(compacted_));
    }
    compacted_ = revision;
    log_.erase(log_.begin(), log_.lower_bound(revision));
    for (auto entry = keys_.begin(); entry != keys_.end();) {
        auto& versions = entry->second;
        const Change* oldest = version_at(versions, revision);
        if (oldest) versions.erase(versions.begin(), versions.begin() + (oldest - versions.data()));
        const bool gone = versions.size() == 1 && versions[0].deleted &&
                          versions[0].item.mod_revision <= revision;
        entry = gone ? keys_.erase(entry) : std::next(entry);
    }
    return {};
}

}  // namespace blixard::store
