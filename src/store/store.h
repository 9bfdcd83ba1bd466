// The store port: keys with revisions, transactions, a watch, leases. One meaning for every adapter
// (sqlite on one host, etcd on many, memory in tests and in the simulation); conformance.h is the
// suite that holds them to it.
//
// The meaning is etcd's (https://etcd.io/docs/v3.4/learning/api/): one revision number for the
// whole store that rises by exactly one with each committed transaction that changes anything; a
// failed compare changes nothing and costs none.
//
// Threads: every method may be called from any thread. Every callback and watch event is delivered
// on the executor that the store was made with, in order. A callback is called exactly once, also
// when the store is closed (kUnavailable).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::store {

using Revision = std::int64_t;  // 0: before the first transaction; "does not exist" in a compare
using LeaseId = std::int64_t;   // 0: no lease

// Bounds that every adapter keeps, so that what works on one host works on many (etcd 3.4's
// defaults).
inline constexpr std::size_t kMaxKeyBytes = 1024;
inline constexpr std::size_t kMaxValueBytes = 1024 * 1024;  // below etcd's 1.5 MiB a request
inline constexpr std::size_t kMaxOperations =
    128;  // compares, and separately puts + deletes, of one transaction
inline constexpr std::size_t kMaxRequestBytes =
    1400 * 1024;  // all keys and values of one transaction

struct KeyValue {
    std::string key;
    std::string value;
    Revision create_revision = 0;  // when the key last came into being
    Revision mod_revision = 0;     // when it was last put
    LeaseId lease = 0;             // the key goes when this lease ends

    bool operator==(const KeyValue&) const = default;
};

// Holds if the key's mod_revision is exactly this; 0 holds if the key does not exist.
struct Compare {
    std::string key;
    Revision mod_revision = 0;
};

struct Put {
    std::string key;
    std::string value;
    LeaseId lease = 0;
};

// All compares hold -> all puts and deletes happen at one new revision; else nothing happens.
// A key may appear once among puts and deletes. Deleting what is not there is legal and changes
// nothing.
struct Transaction {
    std::vector<Compare> compares;
    std::vector<Put> puts;
    std::vector<std::string> deletes;

    bool empty() const { return puts.empty() && deletes.empty(); }
};

struct Committed {
    bool succeeded = false;  // false: a compare failed, nothing happened
    Revision revision =
        0;  // succeeded: the transaction's revision; else the store's revision at the refusal
};

struct Range {
    std::string prefix;     // keys that start with this ("" is all)
    std::string after;      // continue after this key ("" is from the start)
    std::size_t limit = 0;  // 0: no limit
    Revision at = 0;  // 0: now; else read as of this kept revision (kCompacted when it is not kept)
};

struct RangeResult {
    std::vector<KeyValue> items;  // by key, ascending
    bool more =
        false;  // the limit cut it: ask again with after = items.back().key and at = revision
    Revision revision = 0;  // the revision that was read
};

// One change of one key. Changes of one transaction share mod_revision and come in one batch.
struct Change {
    bool deleted = false;
    KeyValue item;  // deleted: key, and mod_revision = the deletion's revision
};

// All changes of one or more whole transactions, ascending; `revision` is the last one. An empty
// batch is a progress mark: everything up to `revision` has been delivered.
struct WatchBatch {
    std::vector<Change> changes;
    Revision revision = 0;
};

class WatchHandler {
 public:
    virtual ~WatchHandler() = default;
    virtual void on_batch(WatchBatch batch) = 0;
    // The watch is over and will deliver nothing more. kCompacted: read the state anew, then watch
    // from there. kUnavailable: the store is being closed. Lost connections are not errors:
    // adapters resume by themselves.
    virtual void on_end(Error error) = 0;
};

using WatchId = std::uint64_t;

struct LeaseGrant {
    LeaseId id = 0;
    Millis ttl{};  // what the store granted; may be longer than asked, never shorter
};

class Store {
 public:
    virtual ~Store() = default;

    // Errors: kUnavailable (did not happen), kUnknownOutcome (may have happened, or happen yet),
    // kExhausted (disk full or quota; did not happen), kInvalid/kTooLarge (bounds above), kNotFound
    // (a put names a lease that does not exist).
    virtual void commit(Transaction transaction, Callback<Committed> done) = 0;

    virtual void read(Range range, Callback<RangeResult> done) = 0;

    // The newest revision, linearizable: a transaction acknowledged before the call is included.
    virtual void current_revision(Callback<Revision> done) = 0;

    // Delivers every change of keys under `prefix` with revision >= `from` to `handler`, without
    // gap or repeat, until unwatch. `handler` must outlive the watch. After unwatch returns
    // (executor thread) nothing more is delivered.
    virtual WatchId watch(std::string prefix, Revision from, WatchHandler& handler) = 0;
    virtual void unwatch(WatchId watch) = 0;

    // A lease ends `ttl` after its last renewal, or later, never earlier; then its keys are deleted
    // in one transaction.
    virtual void grant_lease(Millis ttl, Callback<LeaseGrant> done) = 0;
    virtual void renew_lease(LeaseId lease,
                             Callback<LeaseGrant> done) = 0;            // kNotFound: it has ended
    virtual void revoke_lease(LeaseId lease, Callback<bool> done) = 0;  // its keys go at once

    // Forgets history before `revision`. Current values are always kept.
    virtual void compact(Revision revision, Callback<Revision> done) = 0;
};

// True if the bounds above hold; else kInvalid or kTooLarge with the reason.
Status check_bounds(const Transaction& transaction);

}  // namespace blixard::store
