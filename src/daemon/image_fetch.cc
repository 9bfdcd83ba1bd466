#include "daemon/image_fetch.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace blixard::daemon {
namespace {

constexpr const char* kKind = "image-fetch";

}  // namespace

ImageFetch::ImageFetch(Deps deps, std::string host)
    : deps_(deps),
      host_(std::move(host)),
      fetcher_({.executor = deps.executor,
                .clock = deps.clock,
                .log = deps.log,
                .workers = deps.workers,
                .ask =
                    [&node = deps.node](const std::string& name, const std::string& sha256,
                                        std::uint64_t offset, std::uint64_t length,
                                        Callback<cluster::BlobPart> done) {
                        node.peers()->fetch_blob_part(name, sha256, offset, length,
                                                      std::move(done));
                    },
                .keep = [&blobs = deps.blobs](const std::string& path,
                                              const std::string& sha256) -> Result<std::string> {
                    ASSIGN_OR_RETURN(const images::Blob blob, blobs.adopt(path, sha256));
                    return blobs.path_of(blob.sha256);
                },
                .progress = [this](const cluster::BlobProgress& progress) { tell(progress); }},
               deps.blobs.fetches_directory()) {}

void ImageFetch::tidy() {
    store::Transaction tidy =
        tidy_operations(*deps_.view.current(), kKind, host_, to_rfc3339(deps_.clock.wall()));
    if (!tidy.empty()) deps_.store.commit(std::move(tidy), [](const Result<store::Committed>&) {});
}

void ImageFetch::fetch(const std::string& sha256, Callback<std::string> done) {
    if (!operations_.contains(sha256)) {
        model::Operation begun{
            .kind = kKind, .target = target_of(sha256), .node = host_, .unit = "bytes"};
        operations_[sha256] = std::make_shared<RunningOperation>(
            RunningOperation::Deps{deps_.store, deps_.executor, deps_.clock}, make_id(deps_.random),
            std::move(begun));
    }
    fetcher_.fetch(sha256, deps_.node.others_alive(),
                   [this, sha256, done = std::move(done)](Result<std::string> path) {
                       if (const auto operation = operations_.find(sha256);
                           operation != operations_.end()) {
                           operation->second->end(path ? Status{} : fail(path.error()));
                           operations_.erase(operation);
                       }
                       done(std::move(path));
                   });
}

void ImageFetch::tell(const cluster::BlobProgress& progress) {
    const auto operation = operations_.find(progress.sha256);
    if (operation == operations_.end()) return;
    std::vector<std::string> from(progress.from.begin(), progress.from.end());
    std::erase(from, "");
    operation->second->progress(
        static_cast<std::int64_t>(progress.bytes_done),
        static_cast<std::int64_t>(progress.bytes_total),
        from.empty() ? std::string() : fmt::format("from {}", fmt::join(from, ", ")));
}

// "images/demo" for a file of that image.
std::string ImageFetch::target_of(const std::string& sha256) const {
    std::string target = "blobs/" + sha256;
    deps_.view.current()->images.for_each(
        [&](const std::shared_ptr<const view::ImageEntry>& image) {
            if (!image->record) return;
            for (const model::ImageFile& file : image->record->value.files)
                if (file.sha256 == sha256) target = "images/" + image->key;
        });
    return target;
}

}  // namespace blixard::daemon
