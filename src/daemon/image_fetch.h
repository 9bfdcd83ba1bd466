// Image files that this host lacks, fetched from the hosts that have them. An operation
// "image-fetch" tells how far each is. On the loop.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "cluster/blob_fetch.h"
#include "cluster/node.h"
#include "daemon/running_operation.h"
#include "images/blob_store.h"
#include "os/worker_pool.h"
#include "view/view.h"

namespace blixard::daemon {

class ImageFetch {
 public:
    // All outlive this; `node` is a member of a cluster.
    struct Deps {
        cluster::Node& node;
        const images::BlobStore& blobs;
        os::WorkerPool& workers;
        store::Store& store;
        const view::View& view;
        Executor& executor;
        const Clock& clock;
        Random& random;
        Log& log;
    };
    ImageFetch(Deps deps, std::string host);

    // Ends the operations of an earlier daemon's fetches. Once the view has the state, before the
    // first fetch.
    void tidy();

    // The local path of the verified file. Asked of every other host that is alive now.
    void fetch(const std::string& sha256, Callback<std::string> done);
    std::set<std::string> under_way() const { return fetcher_.names_under_way(); }

 private:
    void tell(const cluster::BlobProgress& progress);
    std::string target_of(const std::string& sha256) const;

    const Deps deps_;
    const std::string host_;
    std::map<std::string, std::shared_ptr<RunningOperation>> operations_;  // by sha256
    cluster::BlobFetcher fetcher_;
};

}  // namespace blixard::daemon
