// The bytes of images, each file under the SHA-256 of its content: DIR/blobs/<sha256>. What stands
// there is whole and what its name says; what is being written stands in DIR/uploads and is swept
// at the next start.
//
// Blocking (hashing a gigabyte takes a second): for worker threads. Any thread; a BlobWriter one
// thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace blixard::images {

struct Blob {
    std::string sha256;  // 64 lower-case hex digits
    std::uint64_t size_bytes = 0;
    WallTime asked_at = {};  // when it came, or was last used
};

// 64 of [0-9a-f]: the only names that reach the file system.
bool is_sha256(std::string_view text);

// One upload. Dropped without finish(), it leaves nothing behind.
class BlobWriter {
 public:
    virtual ~BlobWriter() = default;
    // Zeros become holes. After an error (kExhausted: the disk is full) nothing but the destructor
    // makes sense.
    virtual Status write(std::string_view bytes) = 0;
    // Waits for the disk, then gives the file its name. `expected_sha256` may be empty; kInvalid
    // where it differs.
    virtual Result<Blob> finish(std::string_view expected_sha256) = 0;
    virtual std::uint64_t written() const = 0;
};

class BlobStore {
 public:
    // Makes the directories, and removes what an earlier process had not finished uploading.
    static Result<std::unique_ptr<BlobStore>> open(const std::string& directory);

    // `expected_bytes`, where the client has said it, is compared with the free room before
    // anything is written.
    Result<std::unique_ptr<BlobWriter>> begin(std::optional<std::uint64_t> expected_bytes) const;
    Result<Blob> import_file(const std::string& path) const;  // a copy; the source stays

    // Takes over the file at `path`, which the caller knows to have this SHA-256 and which lies on
    // this file system (in fetches_directory()).
    Result<Blob> adopt(const std::string& path, std::string_view sha256) const;
    // Where files that are on their way here may lie; kept over restarts.
    std::string fetches_directory() const { return directory_ + "/fetches"; }

    std::string path_of(
        std::string_view sha256) const;  // whether it is there or not; is_sha256() holds
    Result<Blob> find(std::string_view sha256) const;  // kNotFound
    // find(), by somebody who needs it: it is not taken for spare for a while (collection.h).
    Result<Blob> use(std::string_view sha256) const;
    Status verify(
        std::string_view sha256) const;  // reads it all; kInternal where the content has changed
    // Deletes it and says how many bytes of the disk that frees, unless somebody has used it since
    // it was seen like this. A use() beside this is before it, and keeps the file, or after it, and
    // does not find it.
    Result<std::optional<std::uint64_t>> remove_spare(const Blob& seen) const;
    Result<std::vector<Blob>> list() const;

    // What fetches have begun: `asked_at` is when the last bytes came.
    Result<std::vector<Blob>> list_parts() const;
    Status remove_part(std::string_view sha256) const;  // succeeds where there is none

 private:
    explicit BlobStore(std::string directory) : directory_(std::move(directory)) {}

    const std::string directory_;
};

}  // namespace blixard::images
