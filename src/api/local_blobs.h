// BlobPort over the content-addressed files of this host: they block, so a worker does the work.
#pragma once

#include "api/ports.h"
#include "images/blob_store.h"
#include "os/worker_pool.h"

namespace blixard::api {

class LocalBlobs final : public BlobPort {
 public:
    // All outlive this, and the executor the workers. `here` is the API's.
    LocalBlobs(const images::BlobStore& blobs, os::WorkerPool& workers, Executor& here)
        : blobs_(blobs), workers_(workers), here_(here) {}

    Result<std::shared_ptr<BlobUpload>> open_upload(std::optional<std::uint64_t> size_bytes,
                                                    std::string expected_sha256) override;
    void find(std::string sha256, Callback<Blob> done) override;
    void inspect(std::string sha256, model::FileRole role,
                 Callback<model::ImageFile> done) override;

 private:
    const images::BlobStore& blobs_;
    os::WorkerPool& workers_;
    Executor& here_;
};

}  // namespace blixard::api
