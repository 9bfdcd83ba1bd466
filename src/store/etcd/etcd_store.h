// The store on etcd, for two hosts and more, over etcd's gRPC v3 API.
//
//   auto store = EtcdStore::connect({.endpoints = {"127.0.0.1:12379"}}, loop, clock, log);
//
// Concurrent transactions that are independent of each other go into one etcd transaction, each
// with its own compares; they then share one revision. A write that was sent and not answered is
// kUnknownOutcome and is never sent again; one that cannot have happened, and every read, is tried
// at the other members until `request_timeout`.
//
// One thread of its own; everything is delivered on the executor. Lease times are whole seconds,
// rounded up, and at least what etcd grants (2 s at its default election time).
#pragma once

#include <memory>

#include "base/log.h"
#include "base/time.h"
#include "store/etcd/etcd_options.h"
#include "store/store.h"

namespace blixard::store {

class EtcdStore {
 public:
    // Does not wait for a connection: requests do. kInvalid: no endpoint, or one that is not
    // host:port. `executor`, `clock` and `log` must outlive the store; destroy it on the executor's
    // thread, or when that no longer runs.
    static Result<std::unique_ptr<Store>> connect(EtcdOptions options, Executor& executor,
                                                  const Clock& clock, Log& log);
};

}  // namespace blixard::store
