// The file's shape, and whose file it is.
//
//   change   one row for each put and each deletion that is kept. id = revision * 65536 + place in
//   the transaction, so
//            that the table is the log of changes in order, and its index by key holds each key's
//            versions in order.
//   lease    leases that have not ended; their time is counted from the opening of the file.
//   meta     revision: the newest; compacted: the oldest that can be read.
#pragma once

#include <string>

#include "base/result.h"
#include "store/sqlite/database.h"

namespace blixard::store {

// Makes a missing file readable to its owner alone: what is in it (cloud-init's user data, say) is
// not for everybody who may enter its directory. Nothing where it is there.
Status make_private_file(const std::string& path);

// The same of a file that is ours and its companions, which an older version left readable to all.
void keep_private(const std::string& path);

// Sets WAL and synchronous=FULL, makes the tables in a new file, checks them in an old one.
// kUnsupported: the file belongs to another program or to a newer version of this one; nothing was
// changed.
Status prepare_schema(Database& database, const std::string& path);

// One process at a time has the store open; the lock goes with the process.
class FileLock {
 public:
    // kUnavailable: another process holds it.
    static Result<FileLock> take(const std::string& path);
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

 private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_;
};

}  // namespace blixard::store
