#include "daemon/blobs.h"

#include <fmt/format.h>

#include "images/inspect.h"

namespace blixard::daemon {
namespace {

constexpr std::uint64_t kMib = 1024 * 1024;

class Upload final : public api::BlobUpload {
 public:
    Upload(std::unique_ptr<images::BlobWriter> writer, std::string expected,
           images::BlobStore& store, os::WorkerPool& workers, Executor& executor)
        : writer_(std::move(writer)),
          expected_(std::move(expected)),
          store_(store),
          workers_(workers),
          executor_(executor) {}

    void write(std::string_view bytes, std::function<void(Status)> next) override {
        // The caller keeps `bytes` until `next`; the writer is kept by the task.
        workers_.run<bool>(
            executor_,
            [writer = writer_, bytes]() -> Result<bool> {
                RETURN_IF_ERROR(writer->write(bytes));
                return true;
            },
            [next = std::move(next)](const Result<bool>& done) {
                if (done)
                    next({});
                else
                    next(tl::make_unexpected(done.error()));
            });
    }

    void finish(Callback<api::Blob> done) override {
        workers_.run<api::Blob>(
            executor_,
            [writer = writer_, expected = expected_, &store = store_]() -> Result<api::Blob> {
                ASSIGN_OR_RETURN(const images::Blob blob, writer->finish(expected));
                return api::Blob{blob.sha256, blob.size_bytes, store.path_of(blob.sha256)};
            },
            std::move(done));
    }

 private:
    std::shared_ptr<images::BlobWriter> writer_;
    const std::string expected_;
    images::BlobStore& store_;
    os::WorkerPool& workers_;
    Executor& executor_;
};

Result<model::ImageFile> inspect_file(const images::BlobStore& store, const std::string& sha256,
                                      model::FileRole role) {
    ASSIGN_OR_RETURN(const images::Blob blob, store.use(sha256));
    model::ImageFile file;
    file.role = role;
    file.sha256 = sha256;
    file.size_bytes = static_cast<std::int64_t>(blob.size_bytes);
    const std::string path = store.path_of(sha256);
    switch (role) {
        case model::FileRole::kKernel: RETURN_IF_ERROR(images::inspect_kernel(path)); return file;
        case model::FileRole::kInitrd: RETURN_IF_ERROR(images::inspect_initrd(path)); return file;
        case model::FileRole::kDisk: break;
    }
    ASSIGN_OR_RETURN(const images::DiskInfo disk, images::inspect_disk_image(path));
    file.format = disk.format == images::DiskFormat::kQcow2 ? model::DiskFormat::kQcow2
                                                            : model::DiskFormat::kRaw;
    file.virtual_size_mib = static_cast<std::int64_t>((disk.virtual_bytes + kMib - 1) / kMib);
    return file;
}

}  // namespace

Result<std::shared_ptr<api::BlobUpload>> ApiBlobs::open_upload(
    std::optional<std::uint64_t> size_bytes, std::string expected_sha256) {
    ASSIGN_OR_RETURN(std::unique_ptr<images::BlobWriter> writer, store_.begin(size_bytes));
    return std::make_shared<Upload>(std::move(writer), std::move(expected_sha256), store_, workers_,
                                    executor_);
}

template <class T>
void ApiBlobs::look(const std::string& sha256, std::function<Result<T>()> here, Callback<T> done) {
    workers_.run<T>(executor_, here, [this, sha256, here, done = std::move(done)](Result<T> found) {
        if (found || found.error().code != ErrorCode::kNotFound || !fetch_)
            return done(std::move(found));
        fetch_(sha256, [this, here, done, found](const Result<std::string>& path) {
            if (path) return workers_.run<T>(executor_, here, done);
            // That nobody has it is what it is without other hosts, too.
            if (path.error().code == ErrorCode::kNotFound) return done(found);
            done(fail(path.error()));
        });
    });
}

void ApiBlobs::find(std::string sha256, Callback<api::Blob> done) {
    look<api::Blob>(
        sha256,
        [sha256, &store = store_]() -> Result<api::Blob> {
            if (!images::is_sha256(sha256))
                return fail(ErrorCode::kInvalid,
                            fmt::format("\"{}\" is not a SHA-256", sha256.substr(0, 80)),
                            "64 lower-case hex digits");
            ASSIGN_OR_RETURN(const images::Blob blob, store.use(sha256));
            return api::Blob{blob.sha256, blob.size_bytes, store.path_of(blob.sha256)};
        },
        std::move(done));
}

void ApiBlobs::inspect(std::string sha256, model::FileRole role, Callback<model::ImageFile> done) {
    look<model::ImageFile>(
        sha256, [sha256, role, &store = store_] { return inspect_file(store, sha256, role); },
        std::move(done));
}

void AgentBlobs::ensure(const std::string& sha256, Callback<std::string> done) {
    workers_.run<std::string>(
        executor_,
        [sha256, &store = store_]() -> Result<std::string> {
            ASSIGN_OR_RETURN(const images::Blob blob, store.use(sha256));
            return store.path_of(blob.sha256);
        },
        [this, sha256, done = std::move(done)](Result<std::string> path) {
            if (!path && path.error().code == ErrorCode::kNotFound && fetch_)
                return fetch_(sha256, done);
            done(std::move(path));
        });
}

}  // namespace blixard::daemon
