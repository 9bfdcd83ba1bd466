#include "store/sqlite/database.h"

#include <sqlite3.h>

#include <cerrno>

namespace blixard::store {
namespace {

bool disk_is_full(sqlite3* handle) {
    const int code = sqlite3_extended_errcode(handle);
    if ((code & 0xff) == SQLITE_FULL) return true;
    const int system = sqlite3_system_errno(handle);
    return (code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT);
}

Error error_of(sqlite3* handle, std::string text) {
    text += ": ";
    text += sqlite3_errmsg(handle);
    const int code = sqlite3_errcode(handle);
    if (disk_is_full(handle)) {
        return {ErrorCode::kExhausted,
                "the disk of the store is full: " + text,
                {},
                "make room on the disk of the data directory"};
    }
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
        return {ErrorCode::kInternal, text, {}, "restore the data directory from a backup"};
    }
    return {ErrorCode::kUnavailable, text};
}

}  // namespace

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Database::Database(sqlite3* handle, std::string path)
    : wal_pages_(std::make_unique<int>(0)), handle_(handle), path_(std::move(path)) {
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_wal_hook(
        handle,
        [](void* pages, sqlite3*, const char*, int count) {
            *static_cast<int*>(pages) = count;
            return SQLITE_OK;
        },
        wal_pages_.get());
}

Result<Database> Database::open(const std::string& path) {
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    if (!handle) return fail(ErrorCode::kInternal, "no memory to open " + path);
    Database database(handle, path);
    if (code != SQLITE_OK) return fail(database.error("opening"));
    sqlite3_busy_timeout(handle, 5000);  // a reader and a checkpoint may meet for a moment
    return database;
}

Status Database::execute(const char* sql) {
    if (sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return fail(error(sql));
    return {};
}

Result<std::int64_t> Database::integer(const char* sql) {
    ASSIGN_OR_RETURN(Statement statement, Statement::prepare(*this, sql));
    ASSIGN_OR_RETURN(const bool row, statement.step());
    return row ? statement.integer(0) : 0;
}

void Database::checkpoint() {
    int left = 0;
    int moved = 0;
    const int code =
        sqlite3_wal_checkpoint_v2(handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &left, &moved);
    if (code == SQLITE_OK) *wal_pages_ = left - moved;
}

int Database::wal_pages() const { return *wal_pages_; }

Error Database::error(std::string_view action) const {
    return error_of(handle(), "store " + path_ + ": " + std::string(action));
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Statement> Statement::prepare(Database& database, const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           nullptr) != SQLITE_OK) {
        return fail(database.error(sql));
    }
    return Statement(database, statement);
}

Statement& Statement::bind(int parameter, std::int64_t number) {
    sqlite3_bind_int64(statement_.get(), parameter, number);
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view blob) {
    const char* data = blob.empty() ? "" : blob.data();  // null would be bound as NULL
    sqlite3_bind_blob64(statement_.get(), parameter, data, blob.size(), SQLITE_STATIC);
    return *this;
}

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return fail(error());
}

Status Statement::run() {
    Rows rows(*this);
    for (;;) {
        ASSIGN_OR_RETURN(const bool row, step());
        if (!row) return {};
    }
}

void Statement::reset() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::blob(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
    return {data ? data : "",
            static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Error Statement::error() const { return error_of(handle_, sqlite3_sql(statement_.get())); }

}  // namespace blixard::store
