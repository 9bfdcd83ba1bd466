// Deletes image files that nothing needs any more: images/collection.h decides, this asks and acts.
// An operation "image-collect" tells what it freed. On the loop; the disk is looked at on a worker.
//
// What images there are is asked of the store each time, not of this daemon's memory: a host that
// the store does not answer deletes nothing, however long it is cut off. What images of this store
// have named is kept in DATA/named-images: the uid of the store's default project, which tells it
// from the store of a cluster that this host was in before, then a sha256 a line.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "images/blob_store.h"
#include "images/collection.h"
#include "os/worker_pool.h"
#include "store/store.h"
#include "view/view.h"

namespace blixard::daemon {

class ImageCollector {
 public:
    // All outlive this.
    struct Deps {
        const images::BlobStore& blobs;
        os::WorkerPool& workers;
        store::Store& store;
        const view::View& view;
        Executor& executor;
        const Clock& clock;
        Random& random;
        Log& log;
        Metrics& metrics;
    };
    struct Settings {
        std::string host;
        std::string data_dir;
        images::CollectionRules rules;
    };
    // `fetching`: sha256 of the files that are on their way here.
    ImageCollector(Deps deps, Settings settings, std::function<std::set<std::string>()> fetching);
    ~ImageCollector();

    // Looks twice in each grace period from now on. Once the view has the state.
    void start();

 private:
    struct Looked {
        images::CollectionFacts facts;
        std::string store_uid;
        std::string marks;  // DATA/named-images, as it is
    };
    struct Done {
        std::vector<images::Blob> files;  // `size_bytes`: that the disk has more now
        std::vector<std::string> parts;
        Status status;  // of what was next
    };
    static Done act_on_disk(const images::BlobStore& blobs, const images::CollectionPlan& plan);
    void look_later();
    void look();
    void read_names(std::string after, store::Revision at,
                    std::shared_ptr<std::set<std::string>> names);
    void read_store_uid(std::set<std::string> named);
    void look_at_disk(std::set<std::string> named, std::string store_uid);
    void decide(Looked looked);
    void act(images::CollectionPlan plan, std::string marks);
    void forget_old_operations();
    void tell(const Done& done);
    void failed(const Error& error);

    const Deps deps_;
    const Settings settings_;
    const std::function<std::set<std::string>()> fetching_;
    std::optional<images::Collection> collection_;  // absent: this daemon has not looked yet
    Counter& files_removed_;
    Counter& bytes_freed_;
    std::string error_said_;  // and is not said again at each look
    TimerId timer_ = 0;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace blixard::daemon
