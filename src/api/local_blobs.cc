#include "api/local_blobs.h"

#include "api/deliver.h"
#include "images/inspect.h"

namespace blixard::api {
namespace {

constexpr std::uint64_t kMib = 1024 * 1024;

// One write at a time, so the writer is never used by two workers at once.
class Upload final : public BlobUpload {
 public:
    Upload(std::shared_ptr<images::BlobWriter> writer, const images::BlobStore& blobs,
           os::WorkerPool& workers, Executor& here, std::string expected)
        : writer_(std::move(writer)),
          blobs_(blobs),
          workers_(workers),
          here_(here),
          expected_(std::move(expected)) {}

    void write(std::string_view bytes, std::function<void(Status)> next) override {
        workers_.run<bool>(
            here_,
            [writer = writer_, bytes]() -> Result<bool> {
                RETURN_IF_ERROR(writer->write(bytes));
                return true;
            },
            once<bool>([next = std::move(next)](Result<bool> written) {
                next(written ? Status{} : fail(written.error()));
            }));
    }

    void finish(Callback<Blob> done) override {
        workers_.run<Blob>(
            here_,
            [writer = writer_, &blobs = blobs_, expected = expected_]() -> Result<Blob> {
                ASSIGN_OR_RETURN(const images::Blob blob, writer->finish(expected));
                return Blob{blob.sha256, blob.size_bytes, blobs.path_of(blob.sha256)};
            },
            once<Blob>(std::move(done)));
    }

 private:
    const std::shared_ptr<images::BlobWriter> writer_;
    const images::BlobStore& blobs_;
    os::WorkerPool& workers_;
    Executor& here_;
    const std::string expected_;
};

Result<model::ImageFile> look_at(const images::BlobStore& blobs, const std::string& sha256,
                                 model::FileRole role) {
    ASSIGN_OR_RETURN(const images::Blob blob, blobs.find(sha256));
    model::ImageFile file;
    file.role = role;
    file.sha256 = sha256;
    file.size_bytes = static_cast<std::int64_t>(blob.size_bytes);
    const std::string path = blobs.path_of(sha256);
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

Result<std::shared_ptr<BlobUpload>> LocalBlobs::open_upload(std::optional<std::uint64_t> size_bytes,
                                                            std::string expected_sha256) {
    ASSIGN_OR_RETURN(auto writer, blobs_.begin(size_bytes));
    return std::make_shared<Upload>(std::move(writer), blobs_, workers_, here_,
                                    std::move(expected_sha256));
}

void LocalBlobs::find(std::string sha256, Callback<Blob> done) {
    workers_.run<Blob>(
        here_,
        [&blobs = blobs_, sha256 = std::move(sha256)]() -> Result<Blob> {
            ASSIGN_OR_RETURN(const images::Blob blob, blobs.find(sha256));
            return Blob{blob.sha256, blob.size_bytes, blobs.path_of(blob.sha256)};
        },
        once<Blob>(std::move(done)));
}

void LocalBlobs::inspect(std::string sha256, model::FileRole role,
                         Callback<model::ImageFile> done) {
    workers_.run<model::ImageFile>(
        here_,
        [&blobs = blobs_, sha256 = std::move(sha256), role] {
            return look_at(blobs, sha256, role);
        },
        once<model::ImageFile>(std::move(done)));
}

}  // namespace blixard::api
