// All that a store knows at every revision it keeps: the values, and the changes in their order. A
// plain value; one thread; no clock. Refusals are Results, as in the port.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/store.h"

namespace blixard::store {

class History {
 public:
    Revision revision() const { return revision_; }
    Revision compacted() const { return compacted_; }

    // The transaction as a whole or nothing. Bounds and leases are the caller's to check.
    Committed apply(const Transaction& transaction);

    // kCompacted: `range.at` is no longer kept. kInvalid: it is in the future.
    Result<RangeResult> read(const Range& range) const;

    // The changes of keys under `prefix` with from <= revision <= to, ascending. kCompacted: some
    // are forgotten.
    Result<std::vector<Change>> changes(std::string_view prefix, Revision from, Revision to) const;

    // The current value, or null.
    const KeyValue* find(const std::string& key) const;

    // Keeps what is needed to read and watch from `revision` on. kCompacted: already forgotten;
    // kInvalid: future.
    Status compact(Revision revision);

 private:
    bool holds(const Compare& compare) const;
    void record(Change change);

    std::map<std::string, std::vector<Change>, std::less<>> keys_;  // versions, ascending
    std::map<Revision, std::vector<Change>> log_;
    Revision revision_ = 0;
    Revision compacted_ = 0;  // the smallest revision that can be read; watches may start at it
};

}  // namespace blixard::store
