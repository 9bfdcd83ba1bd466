// The host's blob store as the API and the agent want it: blocking work on workers, answers on the asker's executor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/agent.h"
#include "api/ports.h"
#include "images/blob_store.h"
#include "os/worker_pool.h"

namespace blixard::daemon {

// For the API, on its executor.
class ApiBlobs final : public api::BlobPort {
   public:
    ApiBlobs(images::BlobStore& store, os::WorkerPool& workers, Executor& executor)
        : store_(store), workers_(workers), executor_(executor) {}
    Result<std::shared_ptr<api::BlobUpload>> open_upload(std::optional<std::uint64_t> size_bytes,
                                                         std::string expected_sha256) override;
    void find(std::string sha256, Callback<api::Blob> done) override;
    void inspect(std::string sha256, model::FileRole role, Callback<model::ImageFile> done) override;

   private:
    images::BlobStore& store_;
    os::WorkerPool& workers_;
    Executor& executor_;
};

// For the agent, on its executor. What is not here is asked of `fetch` (other hosts), where there is one.
class AgentBlobs final : public agent::Blobs {
   public:
    using Fetch = std::function<void(const std::string& sha256, Callback<std::string> done)>;

    AgentBlobs(images::BlobStore& store, os::WorkerPool& workers, Executor& executor)
        : store_(store), workers_(workers), executor_(executor) {}
    void set_fetch(Fetch fetch) { fetch_ = std::move(fetch); }
    void ensure(const std::string& sha256, Callback<std::string> done) override;

   private:
    images::BlobStore& store_;
    os::WorkerPool& workers_;
    Executor& executor_;
    Fetch fetch_;
};

}  // namespace blixard::daemon
