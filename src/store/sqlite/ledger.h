// The meaning of the port on the tables of schema.h, over one connection. Not for two threads; the
// store has one for its writer and one for its reader. Every Status or Result error here is the
// database's: refusals that are part of the port's meaning are values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/database.h"
#include "store/store.h"

namespace blixard::store {

inline constexpr int kPlaceBits = 16;  // of a row's id: the change's place in its transaction

// A part of the log: whole transactions, all up to and including `upto`.
struct LogPart {
    std::vector<Change> changes;
    Revision upto = 0;
};

struct StoredLease {
    LeaseId id = 0;
    Millis ttl;
};

class Ledger {
 public:
    static Result<Ledger> open(const std::string& path);
    Ledger(Ledger&&) noexcept;
    ~Ledger();

    // One database transaction around many of the port's; rollback forgets all of them.
    Status begin();
    Status commit();  // kUnknownOutcome: the disk failed while it was made durable
    void rollback();

    // Inside begin and commit. What changed is appended to `changes`. The inner Result is the
    // answer to the caller.
    Result<Result<Committed>> apply(const Transaction& transaction, std::vector<Change>& changes);
    Result<LeaseId> add_lease(Millis ttl);
    Result<bool> end_lease(LeaseId lease,
                           std::vector<Change>& changes);  // false: it does not exist
    Result<Status> compact(Revision revision);

    // Removes forgotten rows, a bounded number at a time, outside of begin. True: there is more to
    // do.
    Result<bool> sweep();

    // Each reads one snapshot of its own.
    Result<RangeResult> read(const Range& range);
    Result<LogPart> log(std::string_view prefix, Revision from);  // kCompacted
    Result<std::vector<StoredLease>> leases();

    Revision revision() const { return revision_; }  // the writer's: newest, committed or not
    Database& database() { return database_; }

 private:
    struct Version {
        std::int64_t id = 0;  // 0: the key was never put
        bool deleted = true;
        Revision created = 0;
        Revision modified() const { return deleted ? 0 : id >> kPlaceBits; }
    };
    struct Statements;

    Ledger(Database database, std::unique_ptr<Statements> statements);
    Result<Version> newest(std::string_view key);
    Result<Status> check(const Transaction& transaction, bool& holds);
    Status write(Change change, int place, std::vector<Change>& changes);
    Status advance(bool changed);
    Result<std::vector<std::string>> keys_of(LeaseId lease);
    Result<Change> load(std::int64_t id);
    Result<std::int64_t> meta(std::string_view name);
    Status set_meta(std::string_view name, std::int64_t number);
    Result<RangeResult> read_snapshot(const Range& range);
    Result<LogPart> log_snapshot(std::string_view prefix, Revision from);

    Database database_;
    std::unique_ptr<Statements> sql_;
    Revision revision_ = 0;
    Revision revision_at_begin_ = 0;
    std::int64_t sweep_from_ = 0;  // ids below are swept
    std::int64_t sweep_end_ = 0;
};

}  // namespace blixard::store
