// The host's blob store as the API and the agent want it: blocking work on workers, answers on the
// asker's executor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/agent.h"
#include "api/ports.h"
#include "images/blob_store.h"
#include "os/worker_pool.h"

namespace blixard::daemon {

// Brings a file that is not on this host, from another: its local path. Called, and calls back, on
// the executor of whoever it was given to.
using FetchBlob = std::function<void(const std::string& sha256, Callback<std::string> path)>;

// For the API, on its executor. Where there are other hosts, a file that one of them has is found.
class ApiBlobs final : public api::BlobPort {
 public:
    ApiBlobs(images::BlobStore& store, os::WorkerPool& workers, Executor& executor)
        : store_(store), workers_(workers), executor_(executor) {}
    void set_fetch(FetchBlob fetch) { fetch_ = std::move(fetch); }
    Result<std::shared_ptr<api::BlobUpload>> open_upload(std::optional<std::uint64_t> size_bytes,
                                                         std::string expected_sha256) override;
    void find(std::string sha256, Callback<api::Blob> done) override;
    void inspect(std::string sha256, model::FileRole role,
                 Callback<model::ImageFile> done) override;

 private:
    // Looks here, and once more after the file was fetched.
    template <class T>
    void look(const std::string& sha256, std::function<Result<T>()> here, Callback<T> done);

    images::BlobStore& store_;
    os::WorkerPool& workers_;
    Executor& executor_;
    FetchBlob fetch_;
};

// For the agent, on its executor. What is not here is asked of `fetch` (other hosts), where there
// is one.
class AgentBlobs final : public agent::Blobs {
 public:
    AgentBlobs(images::BlobStore& store, os::WorkerPool& workers, Executor& executor)
        : store_(store), workers_(workers), executor_(executor) {}
    void set_fetch(FetchBlob fetch) { fetch_ = std::move(fetch); }
    void ensure(const std::string& sha256, Callback<std::string> done) override;

 private:
    images::BlobStore& store_;
    os::WorkerPool& workers_;
    Executor& executor_;
    FetchBlob fetch_;
};

}  // namespace blixard::daemon
