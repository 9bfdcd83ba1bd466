// The store in a file, for one host: WAL, synchronous=FULL, group commit. A commit is acknowledged
// when it is durable.
//
//   auto store = SqliteStore::open(data_dir + "/store.db", loop, clock);
//
// Two threads of its own (one writes, one reads); everything is delivered on the executor. A
// lease's time is counted from its last renewal, or from the opening of the file, whichever is
// later. Destroy the store on the executor's thread, or when the executor no longer runs.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "store/store.h"

namespace blixard::store {

class SqliteStore {
 public:
    // Opens or creates `path` (and path-wal, path-shm, path.lock beside it). `executor` and `clock`
    // must outlive the store, and the executor must run or drop what the store's destructor posts.
    // Errors: kUnavailable (another process has it open; the directory cannot be written),
    // kUnsupported (a foreign or newer file; untouched), kExhausted, kInternal (damaged).
    static Result<std::unique_ptr<Store>> open(const std::string& path, Executor& executor,
                                               const Clock& clock);
};

}  // namespace blixard::store
