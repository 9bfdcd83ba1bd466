// Fetches blobs from other hosts: in parts, from several at once, resumed after a break or a
// restart, verified by sha256 before anybody sees them, one at a time per blob however many ask.
// Where the whole is not what its name says, it is fetched anew from one host after the other until
// a good copy is found (blob_plan.h).
//
// What has arrived stands in DIR/<sha256>.part, and which parts in DIR/<sha256>.have; both go when
// the blob is whole. Threads: everything on the loop; reading and writing on `workers`.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "cluster/blob_plan.h"
#include "cluster/peer.h"
#include "os/worker_pool.h"

namespace blixard::cluster {

struct BlobProgress {
    std::string sha256;
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;  // 0: not known yet
    std::set<std::string> from;     // the hosts that gave what is there
};

class BlobFetcher {
 public:
    struct Deps {
        Executor& executor;
        const Clock& clock;
        Log& log;
        os::WorkerPool& workers;
        // Asks host `name` for a part (PeerClient::fetch_blob_part).
        std::function<void(const std::string& name, const std::string& sha256, std::uint64_t offset,
                           std::uint64_t length, Callback<BlobPart> done)>
            ask;
        // Takes over the verified file at `path` (it may move it away) and says where it is now. On
        // a worker.
        std::function<Result<std::string>(const std::string& path, const std::string& sha256)> keep;
        // Told with each part. May be null.
        std::function<void(const BlobProgress& progress)> progress;
    };
    // `directory` is made where it is missing.
    BlobFetcher(Deps deps, std::string directory);
    ~BlobFetcher();
    BlobFetcher(const BlobFetcher&) = delete;
    BlobFetcher& operator=(const BlobFetcher&) = delete;

    // Where the blob is, once it is whole and verified. `hosts`: who may have it. Who asks for a
    // blob that is being fetched waits for the same fetch.
    void fetch(const std::string& sha256, std::vector<std::string> hosts,
               Callback<std::string> done);

    std::size_t under_way() const;
    std::set<std::string> names_under_way() const;

 private:
    struct Fetch;
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace blixard::cluster
