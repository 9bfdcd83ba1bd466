#include "store/sqlite/schema.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace blixard::store {
namespace {

constexpr std::int64_t kApplicationId = 0x424c5844;  // "BLXD"
constexpr std::int64_t kSchemaVersion = 1;
constexpr mode_t kPrivate = 0600;

constexpr const char* kTables = R"(
    BEGIN EXCLUSIVE;
    CREATE TABLE change (
        id INTEGER PRIMARY KEY, key BLOB NOT NULL, deleted INTEGER NOT NULL,
        created INTEGER NOT NULL, lease INTEGER NOT NULL, value BLOB NOT NULL);
    CREATE INDEX change_by_key ON change (key);
    CREATE INDEX change_by_lease ON change (lease) WHERE lease != 0;
    CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl_ms INTEGER NOT NULL);
    CREATE TABLE meta (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('revision', 0), ('compacted', 0);
    PRAGMA application_id = 1112299588;
    PRAGMA user_version = 1;
    COMMIT;
)";
static_assert(kApplicationId == 1112299588 && kSchemaVersion == 1);

Status check_owner(Database& database, const std::string& path, std::int64_t application) {
    if (application != kApplicationId) {
        return fail(ErrorCode::kUnsupported, path + " is an SQLite file of another program",
                    "choose another --data-dir");
    }
    ASSIGN_OR_RETURN(const std::int64_t version, database.integer("PRAGMA user_version"));
    if (version != kSchemaVersion) {
        return fail(ErrorCode::kUnsupported,
                    path + " has schema version " + std::to_string(version) +
                        "; this blixard knows " + std::to_string(kSchemaVersion),
                    "start the blixard that wrote it, or a newer one");
    }
    return {};
}

}  // namespace

// SQLite gives its -wal and -shm the mode of the file itself.
Status make_private_file(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate);
    if (descriptor >= 0) {
        ::close(descriptor);
        return {};
    }
    if (errno == EEXIST) return {};
    return fail(ErrorCode::kUnavailable, "cannot make " + path + ": " + std::strerror(errno),
                "the data directory must exist and be writable");
}

void keep_private(const std::string& path) {
    for (const char* companion : {"", "-wal", "-shm"})
        (void)::chmod((path + companion).c_str(), kPrivate);  // one that is not there needs nothing
}

Status prepare_schema(Database& database, const std::string& path) {
    ASSIGN_OR_RETURN(const std::int64_t tables,
                     database.integer("SELECT count(*) FROM sqlite_master"));
    ASSIGN_OR_RETURN(const std::int64_t application, database.integer("PRAGMA application_id"));
    const bool fresh = tables == 0 && application == 0;
    if (!fresh) RETURN_IF_ERROR(check_owner(database, path, application));
    RETURN_IF_ERROR(database.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
        "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16384; PRAGMA temp_store = "
        "MEMORY"));
    return fresh ? database.execute(kTables) : Status{};
}

Result<FileLock> FileLock::take(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivate);
    if (descriptor < 0) {
        return fail(ErrorCode::kUnavailable, "cannot open " + path + ": " + std::strerror(errno),
                    "the data directory must exist and be writable");
    }
    FileLock lock(descriptor);
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        return fail(ErrorCode::kUnavailable, path + " is locked by another process",
                    "stop the other daemon, or choose another --data-dir");
    }
    return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace blixard::store
