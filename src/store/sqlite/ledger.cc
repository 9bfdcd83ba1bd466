#include "store/sqlite/ledger.h"

#include <optional>

#include "store/keys.h"
#include "store/sqlite/schema.h"

namespace blixard::store {
namespace {

constexpr std::size_t kLogPartRows = 2000;              // of one catch-up read
constexpr std::size_t kLogPartBytes = 4 * 1024 * 1024;  // so that a batch stays small
constexpr int kSweepRows = 500;                         // looked at between two groups of writes

std::int64_t first_id(Revision revision) { return revision << kPlaceBits; }
Revision revision_of(std::int64_t id) { return id >> kPlaceBits; }

// Above every key that can be stored.
const std::string kEndOfKeys(kMaxKeyBytes + 1, '\xff');

Error compacted_error(Revision asked, Revision oldest) {
    return {ErrorCode::kCompacted, "revision " + std::to_string(asked) +
                                       " is no longer kept; the oldest is " +
                                       std::to_string(oldest)};
}

}  // namespace

struct Ledger::Statements {
    Statement begin, commit, rollback, begin_read;
    Statement newest, insert, load, keys, log;
    Statement get_meta, set_meta;
    Statement add_lease, has_lease, remove_lease, leased, all_leases;
    Statement old_rows, superseded, remove_row;

    static Result<std::unique_ptr<Statements>> prepare(Database& database);
};

Result<std::unique_ptr<Ledger::Statements>> Ledger::Statements::prepare(Database& database) {
    std::optional<Error> error;
    auto sql = [&](const char* text) -> Result<Statement> {
        auto statement = Statement::prepare(database, text);
        if (!statement && !error) error = statement.error();
        return statement;
    };
    std::vector<Result<Statement>> all;
    for (const char* text :
         {"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "BEGIN",
          "SELECT id, deleted, created FROM change WHERE key = ? ORDER BY id DESC LIMIT 1",
          "INSERT INTO change (id, key, deleted, created, lease, value) VALUES (?, ?, ?, ?, ?, ?)",
          "SELECT id, key, deleted, created, lease, value FROM change WHERE id = ?",
          "SELECT max(id) FROM change INDEXED BY change_by_key WHERE key >= ? AND key < ? AND id < "
          "? "
          "GROUP BY key",
          "SELECT id, key, deleted, created, lease, value FROM change WHERE id >= ? ORDER BY id",
          "SELECT number FROM meta WHERE name = CAST(? AS TEXT)",
          "UPDATE meta SET number = ? WHERE name = CAST(? AS TEXT)",
          "INSERT INTO lease (ttl_ms) VALUES (?) RETURNING id", "SELECT 1 FROM lease WHERE id = ?",
          "DELETE FROM lease WHERE id = ?",
          "SELECT id, key FROM change WHERE lease = ? AND lease != 0",
          "SELECT id, ttl_ms FROM lease ORDER BY id",
          "SELECT id, key, deleted FROM change WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
          "SELECT 1 FROM change WHERE key = ? AND id > ? AND id < ? LIMIT 1",
          "DELETE FROM change WHERE id = ?"}) {
        all.push_back(sql(text));
        if (error) return fail(*error);
    }
    auto next = [&, i = 0]() mutable { return std::move(*all[i++]); };
    return std::unique_ptr<Statements>(new Statements{
        next(), next(), next(), next(), next(), next(), next(), next(), next(), next(), next(),
        next(), next(), next(), next(), next(), next(), next(), next()});
}

Ledger::Ledger(Database database, std::unique_ptr<Statements> statements)
    : database_(std::move(database)), sql_(std::move(statements)) {}

Ledger::Ledger(Ledger&&) noexcept = default;
Ledger::~Ledger() = default;

Result<Ledger> Ledger::open(const std::string& path) {
    RETURN_IF_ERROR(make_private_file(path));
    ASSIGN_OR_RETURN(Database database, Database::open(path));
    RETURN_IF_ERROR(prepare_schema(database, path));
    keep_private(path);
    ASSIGN_OR_RETURN(auto statements, Statements::prepare(database));
    Ledger ledger(std::move(database), std::move(statements));
    ASSIGN_OR_RETURN(ledger.revision_, ledger.meta("revision"));
    ASSIGN_OR_RETURN(const std::int64_t compacted, ledger.meta("compacted"));
    ledger.sweep_end_ = first_id(compacted);  // what a crash left of the last sweep
    return ledger;
}

Status Ledger::begin() {
    RETURN_IF_ERROR(sql_->begin.run());
    revision_at_begin_ = revision_;
    return {};
}

Status Ledger::commit() {
    if (revision_ != revision_at_begin_) {
        if (auto set = set_meta("revision", revision_); !set) return set;
    }
    auto done = sql_->commit.run();
    if (done) return {};
    Error error = done.error();
    if (error.code != ErrorCode::kExhausted) error.code = ErrorCode::kUnknownOutcome;
    return fail(std::move(error));
}

void Ledger::rollback() {
    (void)sql_->rollback.run();  // SQLite may have rolled back by itself
    revision_ = revision_at_begin_;
}

Result<Ledger::Version> Ledger::newest(std::string_view key) {
    Rows rows(sql_->newest);
    sql_->newest.bind(1, key);
    ASSIGN_OR_RETURN(const bool row, sql_->newest.step());
    if (!row) return Version{};
    return Version{sql_->newest.integer(0), sql_->newest.integer(1) != 0, sql_->newest.integer(2)};
}

Result<Status> Ledger::check(const Transaction& transaction, bool& holds) {
    holds = true;
    for (const Compare& compare : transaction.compares) {
        ASSIGN_OR_RETURN(const Version version, newest(compare.key));
        if (version.modified() != compare.mod_revision) holds = false;
    }
    LeaseId known = 0;
    for (const Put& put : transaction.puts) {
        if (!holds || put.lease == 0 || put.lease == known) continue;
        Rows rows(sql_->has_lease);
        ASSIGN_OR_RETURN(const bool row, sql_->has_lease.bind(1, put.lease).step());
        if (!row) {
            return Status(fail(ErrorCode::kNotFound, "lease " + std::to_string(put.lease) +
                                                         " does not exist, or has ended"));
        }
        known = put.lease;
    }
    return Status{};
}

Status Ledger::write(Change change, int place, std::vector<Change>& changes) {
    const KeyValue& item = change.item;
    RETURN_IF_ERROR(sql_->insert.bind(1, first_id(item.mod_revision) + place)
                        .bind(2, item.key)
                        .bind(3, change.deleted ? 1 : 0)
                        .bind(4, item.create_revision)
                        .bind(5, item.lease)
                        .bind(6, item.value)
                        .run());
    changes.push_back(std::move(change));
    return {};
}

Result<Result<Committed>> Ledger::apply(const Transaction& transaction,
                                        std::vector<Change>& changes) {
    bool holds = false;
    ASSIGN_OR_RETURN(const Status legal, check(transaction, holds));
    if (!legal) return Result<Committed>(fail(legal.error()));
    if (!holds) return Result<Committed>(Committed{false, revision_});
    const Revision next = revision_ + 1;
    int place = 0;
    for (const Put& put : transaction.puts) {
        ASSIGN_OR_RETURN(const Version old, newest(put.key));
        const Revision created = old.deleted ? next : old.created;
        RETURN_IF_ERROR(
            write({false, {put.key, put.value, created, next, put.lease}}, place++, changes));
    }
    for (const std::string& key : transaction.deletes) {
        ASSIGN_OR_RETURN(const Version old, newest(key));
        if (old.deleted) continue;
        RETURN_IF_ERROR(write({true, {.key = key, .mod_revision = next}}, place++, changes));
    }
    if (place > 0) revision_ = next;
    return Result<Committed>(Committed{true, revision_});
}

Result<LeaseId> Ledger::add_lease(Millis ttl) {
    Rows rows(sql_->add_lease);
    ASSIGN_OR_RETURN(const bool row, sql_->add_lease.bind(1, ttl.count).step());
    return row ? sql_->add_lease.integer(0) : 0;
}

Result<std::vector<std::string>> Ledger::keys_of(LeaseId lease) {
    std::vector<std::pair<std::int64_t, std::string>> versions;
    {
        Rows rows(sql_->leased);
        sql_->leased.bind(1, lease);
        for (;;) {
            ASSIGN_OR_RETURN(const bool row, sql_->leased.step());
            if (!row) break;
            versions.emplace_back(sql_->leased.integer(0), sql_->leased.blob(1));
        }
    }
    std::vector<std::string> keys;
    for (auto& [id, key] : versions) {
        ASSIGN_OR_RETURN(const Version version, newest(key));
        if (version.id == id) keys.push_back(std::move(key));
    }
    return keys;
}

Result<bool> Ledger::end_lease(LeaseId lease, std::vector<Change>& changes) {
    {
        Rows rows(sql_->has_lease);
        ASSIGN_OR_RETURN(const bool row, sql_->has_lease.bind(1, lease).step());
        if (!row) return false;
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> keys, keys_of(lease));
    const Revision next = revision_ + 1;
    std::int64_t place = 0;
    for (const std::string& key : keys) {
        // More keys than fit one revision's ids: the rest goes at the next one.
        const Revision revision = next + (place >> kPlaceBits);
        RETURN_IF_ERROR(write({true, {.key = key, .mod_revision = revision}},
                              static_cast<int>(place % first_id(1)), changes));
        revision_ = revision;
        ++place;
    }
    RETURN_IF_ERROR(sql_->remove_lease.bind(1, lease).run());
    return true;
}

Result<Status> Ledger::compact(Revision revision) {
    ASSIGN_OR_RETURN(const std::int64_t compacted, meta("compacted"));
    if (revision > revision_) {
        return Status(fail(ErrorCode::kInvalid, "cannot compact to revision " +
                                                    std::to_string(revision) + "; the newest is " +
                                                    std::to_string(revision_)));
    }
    if (revision <= compacted) return Status(fail(compacted_error(revision, compacted)));
    RETURN_IF_ERROR(set_meta("compacted", revision));
    sweep_from_ = 0;
    sweep_end_ = first_id(revision);
    return Status{};
}

// Rows go in ascending order, so that a key's older versions never outlive the deletion that hides
// them.
Result<bool> Ledger::sweep() {
    if (sweep_from_ >= sweep_end_) return false;
    struct Row {
        std::int64_t id;
        std::string key;
        bool deleted;
    };
    std::vector<Row> old;
    {
        Rows rows(sql_->old_rows);
        sql_->old_rows.bind(1, sweep_from_).bind(2, sweep_end_).bind(3, kSweepRows);
        for (;;) {
            ASSIGN_OR_RETURN(const bool row, sql_->old_rows.step());
            if (!row) break;
            old.push_back({sql_->old_rows.integer(0), std::string(sql_->old_rows.blob(1)),
                           sql_->old_rows.integer(2) != 0});
        }
    }
    if (old.empty()) {
        sweep_from_ = sweep_end_;
        return false;
    }
    RETURN_IF_ERROR(sql_->begin.run());
    auto remove = [&]() -> Status {
        for (const Row& row : old) {
            bool forgotten = row.deleted;
            if (!forgotten) {
                Rows rows(sql_->superseded);
                sql_->superseded.bind(1, row.key).bind(2, row.id).bind(3, sweep_end_ + first_id(1));
                ASSIGN_OR_RETURN(forgotten, sql_->superseded.step());
            }
            if (forgotten) RETURN_IF_ERROR(sql_->remove_row.bind(1, row.id).run());
        }
        return sql_->commit.run();
    };
    if (auto removed = remove(); !removed) {
        (void)sql_->rollback.run();
        return fail(removed.error());
    }
    sweep_from_ = old.back().id + 1;
    return true;
}

Result<Change> Ledger::load(std::int64_t id) {
    Statement& row = sql_->load;
    Rows rows(row);
    ASSIGN_OR_RETURN(const bool found, row.bind(1, id).step());
    if (!found) return fail(ErrorCode::kInternal, "row " + std::to_string(id) + " is gone");
    return Change{row.integer(2) != 0,
                  {std::string(row.blob(1)), std::string(row.blob(5)), row.integer(3),
                   revision_of(id), row.integer(4)}};
}

Result<std::int64_t> Ledger::meta(std::string_view name) {
    Rows rows(sql_->get_meta);
    ASSIGN_OR_RETURN(const bool row, sql_->get_meta.bind(1, name).step());
    return row ? sql_->get_meta.integer(0) : 0;
}

Status Ledger::set_meta(std::string_view name, std::int64_t number) {
    return sql_->set_meta.bind(1, number).bind(2, name).run();
}

Result<RangeResult> Ledger::read(const Range& range) {
    RETURN_IF_ERROR(sql_->begin_read.run());
    auto result = read_snapshot(range);
    (void)sql_->commit.run();
    return result;
}

Result<RangeResult> Ledger::read_snapshot(const Range& range) {
    ASSIGN_OR_RETURN(const Revision newest, meta("revision"));
    ASSIGN_OR_RETURN(const Revision compacted, meta("compacted"));
    RangeResult result{.revision = range.at ? range.at : newest};
    if (result.revision < compacted) return fail(compacted_error(result.revision, compacted));
    if (result.revision > newest) {
        return fail(ErrorCode::kInvalid, "revision " + std::to_string(range.at) +
                                             " does not exist yet; the newest is " +
                                             std::to_string(newest));
    }
    const std::string start = range.after < range.prefix ? range.prefix : range.after + '\0';
    const std::string prefix_bound = prefix_end(range.prefix);
    const std::string& end = prefix_bound.empty() ? kEndOfKeys : prefix_bound;
    Rows rows(sql_->keys);
    sql_->keys.bind(1, start).bind(2, end).bind(3, first_id(result.revision + 1));
    for (;;) {
        ASSIGN_OR_RETURN(const bool row, sql_->keys.step());
        if (!row) return result;
        ASSIGN_OR_RETURN(Change change, load(sql_->keys.integer(0)));
        if (change.deleted) continue;
        if (range.limit && result.items.size() == range.limit) {
            result.more = true;
            return result;
        }
        result.items.push_back(std::move(change.item));
    }
}

Result<LogPart> Ledger::log(std::string_view prefix, Revision from) {
    RETURN_IF_ERROR(sql_->begin_read.run());
    auto result = log_snapshot(prefix, from);
    (void)sql_->commit.run();
    return result;
}

Result<LogPart> Ledger::log_snapshot(std::string_view prefix, Revision from) {
    ASSIGN_OR_RETURN(const Revision compacted, meta("compacted"));
    if (from < compacted) return fail(compacted_error(from, compacted));
    LogPart part;
    Statement& row = sql_->log;
    Rows rows(row);
    row.bind(1, first_id(from));
    std::size_t bytes = 0;
    for (;;) {
        ASSIGN_OR_RETURN(const bool more, row.step());
        if (!more) break;
        const Revision revision = revision_of(row.integer(0));
        const bool full = part.changes.size() >= kLogPartRows || bytes >= kLogPartBytes;
        if (full && revision > part.changes.back().item.mod_revision) {
            part.upto = revision - 1;
            return part;
        }
        if (!row.blob(1).starts_with(prefix)) continue;
        bytes += row.blob(5).size();
        part.changes.push_back({row.integer(2) != 0,
                                {std::string(row.blob(1)), std::string(row.blob(5)), row.integer(3),
                                 revision, row.integer(4)}});
    }
    ASSIGN_OR_RETURN(part.upto, meta("revision"));
    return part;
}

Result<std::vector<StoredLease>> Ledger::leases() {
    std::vector<StoredLease> leases;
    Rows rows(sql_->all_leases);
    for (;;) {
        ASSIGN_OR_RETURN(const bool row, sql_->all_leases.step());
        if (!row) return leases;
        leases.push_back({sql_->all_leases.integer(0), Millis{sql_->all_leases.integer(1)}});
    }
}

}  // namespace blixard::store
