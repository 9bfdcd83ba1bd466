#include "images/blob_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/assert.h"
#include "os/files.h"
#include "os/system_error.h"
#include "os/unique_fd.h"

namespace blixard::images {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;  // looked at, hashed and written at once
constexpr std::size_t kHoleBytesMin =
    4096;  // a file system's block: a piece of zeros this long is not written
constexpr std::size_t kCopyBytes = 1024 * 1024;
// What an upload leaves free: a disk filled to its last byte stops the daemon's own store too.
constexpr std::uint64_t kFreeBytesKept = std::uint64_t{64} << 20;
constexpr std::uint64_t kStatBlockBytes = 512;  // stat(2), whatever the file system's blocks are
constexpr mode_t kBlobMode = 0644;              // QEMU reads it as another user

class Sha256 {
 public:
    Sha256() : context_(EVP_MD_CTX_new()) {
        ASSERT(EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
    }
    ~Sha256() { EVP_MD_CTX_free(context_); }
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void update(std::string_view bytes) {
        ASSERT(EVP_DigestUpdate(context_, bytes.data(), bytes.size()) == 1);
    }
    std::string hex() {
        unsigned char digest[32];
        ASSERT(EVP_DigestFinal_ex(context_, digest, nullptr) == 1);
        std::string text;
        for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
        return text;
    }

 private:
    EVP_MD_CTX* context_;
};

bool is_zeros(std::string_view bytes) {
    return bytes.front() == '\0' &&
           std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

auto write_failed(std::uint64_t written) {
    const int number = errno;
    if (number == ENOSPC || number == EDQUOT || number == EFBIG)
        return fail(ErrorCode::kExhausted,
                    fmt::format("the disk is full after {} bytes of the upload", written),
                    "free some room (blixard image list, blixard image delete: its files go "
                    "minutes later), then upload again");
    return fail(os::system_error("write an upload", number));
}

std::string blobs_directory(const std::string& directory) { return directory + "/blobs"; }
std::string uploads_directory(const std::string& directory) { return directory + "/uploads"; }
// Where a file is for the moment in which it is decided whether it goes.
std::string leaving_directory(const std::string& directory) { return directory + "/leaving"; }

// "now" of the file system's own clock.
Status mark_used(const std::string& path) {
    const timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
        return os::fail_errno("mark the use of " + path);
    return {};
}

// Absent where there is no regular file.
std::optional<Blob> look_at(const std::string& path, std::string_view sha256) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
    return Blob{std::string(sha256), static_cast<std::uint64_t>(facts.st_size),
                WallTime{facts.st_mtim.tv_sec * 1000 + facts.st_mtim.tv_nsec / 1'000'000}};
}

class Writer final : public BlobWriter {
 public:
    Writer(os::UniqueFd file, std::string path, std::string blobs)
        : file_(std::move(file)), path_(std::move(path)), blobs_(std::move(blobs)) {}
    ~Writer() override {
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    Status write(std::string_view bytes) override {
        hash_.update(bytes);
        while (!bytes.empty()) {
            // Pieces that end at multiples of kPieceBytes, so that holes fit the file system's
            // blocks.
            const std::size_t size =
                std::min<std::size_t>(bytes.size(), kPieceBytes - written_ % kPieceBytes);
            RETURN_IF_ERROR(write_piece(bytes.substr(0, size)));
            bytes.remove_prefix(size);
        }
        return {};
    }

    Result<Blob> finish(std::string_view expected) override {
        Blob blob{hash_.hex(), written_};
        if (!expected.empty() && expected != blob.sha256)
            return fail(ErrorCode::kInvalid,
                        fmt::format("the bytes that came have the sha256 {}, not {}", blob.sha256,
                                    expected),
                        "the file was changed on the way or is another one; upload it again");
        // The end may be a hole.
        if (::ftruncate(file_.get(), static_cast<off_t>(written_)) != 0)
            return write_failed(written_);
        if (::fchmod(file_.get(), kBlobMode) != 0) return os::fail_errno("chmod " + path_);
        RETURN_IF_ERROR(mark_used(path_));
        if (::fsync(file_.get()) != 0) return write_failed(written_);
        const std::string target = blobs_ + "/" + blob.sha256;
        RETURN_IF_ERROR(
            os::rename_file(path_, target));  // the same content where it was there before
        path_.clear();
        file_.reset();
        return blob;
    }

    std::uint64_t written() const override { return written_; }

 private:
    Status write_piece(std::string_view piece) {
        if (piece.size() >= kHoleBytesMin && is_zeros(piece)) {
            written_ += piece.size();
            return {};
        }
        while (!piece.empty()) {
            const ssize_t count =
                ::pwrite(file_.get(), piece.data(), piece.size(), static_cast<off_t>(written_));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return write_failed(written_);
            written_ += static_cast<std::uint64_t>(count);
            piece.remove_prefix(static_cast<std::size_t>(count));
        }
        return {};
    }

    os::UniqueFd file_;
    std::string path_;  // empty once it has its name
    const std::string blobs_;
    Sha256 hash_;
    std::uint64_t written_ = 0;
};

// Calls `take` for each piece of the file.
template <class Take>
Status read_pieces(const std::string& path, Take take) {
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return os::fail_errno("open " + path);
    std::string piece(kCopyBytes, '\0');
    for (;;) {
        const ssize_t count = ::read(file.get(), piece.data(), piece.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return os::fail_errno("read " + path);
        if (count == 0) return {};
        RETURN_IF_ERROR(take(std::string_view(piece.data(), static_cast<std::size_t>(count))));
    }
}

}  // namespace

bool is_sha256(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

Result<std::unique_ptr<BlobStore>> BlobStore::open(const std::string& directory) {
    RETURN_IF_ERROR(os::make_directories(blobs_directory(directory), 0755));
    RETURN_IF_ERROR(os::make_directories(uploads_directory(directory)));
    ASSIGN_OR_RETURN(const auto unfinished, os::list_directory(uploads_directory(directory)));
    for (const std::string& name : unfinished)
        RETURN_IF_ERROR(os::remove_file(uploads_directory(directory) + "/" + name));
    RETURN_IF_ERROR(os::make_directories(leaving_directory(directory)));
    ASSIGN_OR_RETURN(const auto undecided, os::list_directory(leaving_directory(directory)));
    for (const std::string& name : undecided)
        RETURN_IF_ERROR(os::rename_file(leaving_directory(directory) + "/" + name,
                                        blobs_directory(directory) + "/" + name));
    return std::unique_ptr<BlobStore>(new BlobStore(directory));
}

Result<std::unique_ptr<BlobWriter>> BlobStore::begin(
    std::optional<std::uint64_t> expected_bytes) const {
    struct statvfs disk{};
    if (expected_bytes && ::statvfs(directory_.c_str(), &disk) == 0) {
        const std::uint64_t free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
        if (free_bytes < kFreeBytesKept || *expected_bytes > free_bytes - kFreeBytesKept)
            return fail(
                ErrorCode::kExhausted,
                fmt::format(
                    "the upload has {} bytes, and {} has room for {} (64 MiB are kept free)",
                    *expected_bytes, directory_,
                    free_bytes < kFreeBytesKept ? 0 : free_bytes - kFreeBytesKept),
                "free some room (blixard image list, blixard image delete: its files go minutes "
                "later), then upload again");
    }
    std::string path = uploads_directory(directory_) + "/XXXXXX";
    os::UniqueFd file(::mkostemp(path.data(), O_CLOEXEC));
    if (!file) return os::fail_errno("create " + path);
    return std::make_unique<Writer>(std::move(file), std::move(path), blobs_directory(directory_));
}

Result<Blob> BlobStore::import_file(const std::string& path) const {
    ASSIGN_OR_RETURN(const std::uint64_t size, os::file_size(path));
    ASSIGN_OR_RETURN(const auto writer, begin(size));
    RETURN_IF_ERROR(
        read_pieces(path, [&](std::string_view piece) { return writer->write(piece); }));
    return writer->finish({});
}

Result<Blob> BlobStore::adopt(const std::string& path, std::string_view sha256) const {
    if (!is_sha256(sha256))
        return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no sha256", sha256));
    const os::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) return os::fail_errno("open " + path);
    if (::fchmod(file.get(), kBlobMode) != 0) return os::fail_errno("chmod " + path);
    RETURN_IF_ERROR(mark_used(path));
    if (::fsync(file.get()) != 0) return os::fail_errno("fsync " + path);
    RETURN_IF_ERROR(os::rename_file(path, path_of(sha256)));
    return find(sha256);
}

std::string BlobStore::path_of(std::string_view sha256) const {
    ASSERT(is_sha256(sha256));
    return blobs_directory(directory_) + "/" + std::string(sha256);
}

Result<Blob> BlobStore::find(std::string_view sha256) const {
    if (!is_sha256(sha256))
        return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no sha256", sha256),
                    "64 hexadecimal digits, small letters");
    if (auto blob = look_at(path_of(sha256), sha256)) return std::move(*blob);
    return fail(ErrorCode::kNotFound, fmt::format("no blob {}", sha256),
                "upload it with: blixard image import FILE");
}

Result<Blob> BlobStore::use(std::string_view sha256) const {
    ASSIGN_OR_RETURN(Blob blob, find(sha256));
    // It may be moved away at this moment, and back in the next.
    Status marked = mark_used(path_of(sha256));
    if (!marked && find(sha256)) marked = mark_used(path_of(sha256));
    if (!marked && find(sha256)) return fail(marked.error());
    return find(sha256);
}

Status BlobStore::verify(std::string_view sha256) const {
    RETURN_IF_ERROR(find(sha256));
    Sha256 hash;
    RETURN_IF_ERROR(read_pieces(path_of(sha256), [&](std::string_view piece) -> Status {
        hash.update(piece);
        return {};
    }));
    const std::string found = hash.hex();
    if (found == sha256) return {};
    return fail(
        ErrorCode::kInternal,
        fmt::format("the blob {} has changed on disk: its content is {} now", sha256, found),
        "delete the image and import it again");
}

Result<std::optional<std::uint64_t>> BlobStore::remove_spare(const Blob& seen) const {
    const std::string path = path_of(seen.sha256);
    const std::string leaving = leaving_directory(directory_) + "/" + seen.sha256;
    RETURN_IF_ERROR(os::rename_file(path, leaving));
    const auto now = look_at(leaving, seen.sha256);
    if (!now || now->asked_at != seen.asked_at) {
        // What was uploaded meanwhile has the same bytes.
        RETURN_IF_ERROR(os::rename_file(leaving, path));
        return std::nullopt;
    }
    struct stat facts{};
    if (::lstat(leaving.c_str(), &facts) != 0) return os::fail_errno("stat " + leaving);
    RETURN_IF_ERROR(os::remove_file(leaving));
    return static_cast<std::uint64_t>(facts.st_blocks) * kStatBlockBytes;
}

Result<std::vector<Blob>> BlobStore::list() const {
    ASSIGN_OR_RETURN(const auto names, os::list_directory(blobs_directory(directory_)));
    std::vector<Blob> blobs;
    for (const std::string& name : names)
        if (is_sha256(name))
            if (auto blob = find(name)) blobs.push_back(std::move(*blob));
    return blobs;
}

Result<std::vector<Blob>> BlobStore::list_parts() const {
    std::vector<Blob> parts;
    if (!os::path_exists(fetches_directory())) return parts;
    ASSIGN_OR_RETURN(const auto names, os::list_directory(fetches_directory()));
    for (const std::string& name : names) {
        const std::string_view sha256 = std::string_view(name).substr(0, name.find('.'));
        const auto file = look_at(fetches_directory() + "/" + name, sha256);
        if (!is_sha256(sha256) || !file) continue;
        // Two files of one fetch stand beside each other: their sum, and the later time.
        if (parts.empty() || parts.back().sha256 != sha256) parts.push_back({std::string(sha256)});
        parts.back().size_bytes += file->size_bytes;
        parts.back().asked_at = std::max(parts.back().asked_at, file->asked_at);
    }
    return parts;
}

Status BlobStore::remove_part(std::string_view sha256) const {
    const std::string base = fetches_directory() + "/" + std::string(sha256);
    RETURN_IF_ERROR(os::remove_file(base + ".have"));
    return os::remove_file(base + ".part");
}

}  // namespace blixard::images
