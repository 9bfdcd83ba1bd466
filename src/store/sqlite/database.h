// SQLite, as far as the store needs it: a connection and prepared statements, with errors as
// Results. A connection and its statements belong to one thread at a time. Source:
// https://www.sqlite.org/c3ref/intro.html
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace blixard::store {

class Database {
 public:
    // Opens or creates the file. kInternal: it is not an SQLite database, or is damaged.
    static Result<Database> open(const std::string& path);

    // Runs SQL without parameters and without results.
    Status execute(const char* sql);
    // The first column of the first row; 0 if there is no row.
    Result<std::int64_t> integer(const char* sql);

    // Moves pages of the write-ahead log into the database, as many as can be without waiting for
    // readers.
    void checkpoint();
    int wal_pages() const;

    // What went wrong last, doing `action`. kExhausted: no room on the disk; kUnavailable
    // otherwise, kInternal where the file is damaged.
    Error error(std::string_view action) const;
    sqlite3* handle() const { return handle_.get(); }

 private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    explicit Database(sqlite3* handle, std::string path);

    std::unique_ptr<int> wal_pages_;  // written by SQLite's hook, so it does not move
    std::unique_ptr<sqlite3, Close> handle_;
    std::string path_;
};

class Statement {
 public:
    static Result<Statement> prepare(Database& database, const char* sql);

    // Parameters count from 1; a bound blob must live until reset.
    Statement& bind(int parameter, std::int64_t number);
    Statement& bind(int parameter, std::string_view blob);

    Result<bool> step();  // true: there is a row
    Status run();         // steps to the end and resets
    void reset();

    std::int64_t integer(int column) const;   // columns count from 0
    std::string_view blob(int column) const;  // until the next step or reset

 private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    Statement(Database& database, sqlite3_stmt* statement)
        : handle_(database.handle()), statement_(statement) {}
    Error error() const;

    sqlite3* handle_;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets the statement when the scope is left.
class Rows {
 public:
    explicit Rows(Statement& statement) : statement_(statement) {}
    ~Rows() { statement_.reset(); }
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

 private:
    Statement& statement_;
};

}  // namespace blixard::store
