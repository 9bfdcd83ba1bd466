#include "daemon/image_collector.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/counted.h"
#include "daemon/running_operation.h"
#include "images/backing.h"
#include "model/documents.h"
#include "model/keys.h"
#include "model/requests.h"
#include "os/files.h"

namespace blixard::daemon {
namespace {

constexpr const char* kKind = "image-collect";
constexpr std::size_t kPageItems = 500;
// Directories of the data directory in which no disk lies. Of the others each file is opened, which
// the embedded store's, beside them, must not be (images/backing.h).
const std::set<std::string> kNoDisks = {"blobs",   "cluster", "fetches",
                                        "leaving", "record",  "uploads"};

std::string marks_path(const std::string& data_dir) { return data_dir + "/named-images"; }

Result<std::set<std::string>> under_disks_of(const std::string& data_dir) {
    std::set<std::string> found;
    std::error_code ignored;  // no directory, then
    ASSIGN_OR_RETURN(const auto names, os::list_directory(data_dir));
    for (const std::string& name : names) {
        const std::string path = data_dir + "/" + name;
        if (kNoDisks.contains(name) || !std::filesystem::is_directory(path, ignored)) continue;
        ASSIGN_OR_RETURN(auto digests, images::images_under_disks(path));
        found.merge(std::move(digests));
    }
    return found;
}

}  // namespace

ImageCollector::ImageCollector(Deps deps, Settings settings,
                               std::function<std::set<std::string>()> fetching)
    : deps_(deps),
      settings_(std::move(settings)),
      fetching_(std::move(fetching)),
      files_removed_(deps.metrics.counter("blixard_image_files_removed_total",
                                          "Image files that nothing needed any more.")),
      bytes_freed_(deps.metrics.counter("blixard_image_bytes_freed_total",
                                        "Bytes of the disk that they took.")) {}

ImageCollector::~ImageCollector() { deps_.executor.cancel(timer_); }

void ImageCollector::start() {
    forget_old_operations();
    look_later();
}

void ImageCollector::forget_old_operations() {
    store::Transaction tidy = tidy_operations(*deps_.view.current(), kKind, settings_.host,
                                              to_rfc3339(deps_.clock.wall()));
    if (!tidy.empty()) deps_.store.commit(std::move(tidy), [](const Result<store::Committed>&) {});
}

void ImageCollector::look_later() {
    timer_ = deps_.executor.after(settings_.rules.grace / 2, [this] {
        timer_ = 0;
        look();
    });
}

void ImageCollector::look() { read_names("", 0, std::make_shared<std::set<std::string>>()); }

// Out of the bytes of the records: one that only a newer version understands counts as well.
void ImageCollector::read_names(std::string after, store::Revision at,
                                std::shared_ptr<std::set<std::string>> names) {
    deps_.store.read(
        {.prefix = "images/", .after = std::move(after), .limit = kPageItems, .at = at},
        [this, names, weak = std::weak_ptr(alive_)](Result<store::RangeResult> page) {
            if (weak.expired()) return;
            if (!page) return failed(page.error());
            for (const store::KeyValue& item : page->items)
                names->merge(images::digests_in(item.value));
            if (page->more) return read_names(page->items.back().key, page->revision, names);
            read_store_uid(std::move(*names));
        });
}

void ImageCollector::read_store_uid(std::set<std::string> named) {
    const std::string key = model::project_key(model::kDefaultProject);
    deps_.store.read({.prefix = key, .limit = 1},
                     [this, key, named = std::move(named),
                      weak = std::weak_ptr(alive_)](const Result<store::RangeResult>& found) {
                         if (weak.expired()) return;
                         if (!found) return failed(found.error());
                         // It is made at the first start; until then nothing is spare.
                         if (found->items.empty() || found->items[0].key != key)
                             return look_later();
                         const auto project =
                             model::parse_project(found->items[0].value, model::Mode::kLenient);
                         if (!project) return failed(project.error());
                         look_at_disk(named, project->uid);
                     });
}

void ImageCollector::look_at_disk(std::set<std::string> named, std::string store_uid) {
    deps_.workers.run<Looked>(
        deps_.executor,
        [named = std::move(named), store_uid = std::move(store_uid), &blobs = deps_.blobs,
         data_dir = settings_.data_dir]() -> Result<Looked> {
            Looked looked{.facts = {}, .store_uid = store_uid, .marks = {}};
            looked.facts.named = named;
            // Files first: a disk that is made on one meanwhile has marked it as used before.
            ASSIGN_OR_RETURN(looked.facts.files, blobs.list());
            ASSIGN_OR_RETURN(looked.facts.parts, blobs.list_parts());
            ASSIGN_OR_RETURN(looked.facts.under_disks, under_disks_of(data_dir));
            if (auto marks = os::read_file(marks_path(data_dir))) looked.marks = std::move(*marks);
            return looked;
        },
        [this, weak = std::weak_ptr(alive_)](Result<Looked> looked) {
            if (weak.expired()) return;
            if (!looked) return failed(looked.error());
            decide(std::move(*looked));
        });
}

void ImageCollector::decide(Looked looked) {
    error_said_.clear();
    looked.facts.fetching = fetching_();
    looked.facts.wall = deps_.clock.wall();
    looked.facts.mono = deps_.clock.mono();
    if (!collection_)
        collection_.emplace(settings_.rules, looked.marks.starts_with(looked.store_uid + "\n")
                                                 ? images::digests_in(looked.marks)
                                                 : std::set<std::string>{});
    images::CollectionPlan plan = collection_->look(looked.facts);
    std::string marks = looked.store_uid + "\n";
    for (const std::string& sha256 : collection_->named_once()) marks += sha256 + "\n";
    if (plan.empty() && marks == looked.marks) return look_later();
    act(std::move(plan), std::move(marks));
}

void ImageCollector::act(images::CollectionPlan plan, std::string marks) {
    deps_.workers.run<Done>(
        deps_.executor,
        [plan = std::move(plan), marks = std::move(marks), &blobs = deps_.blobs,
         path = marks_path(settings_.data_dir)]() -> Result<Done> {
            RETURN_IF_ERROR(os::write_file_atomically(path, marks));
            return act_on_disk(blobs, plan);
        },
        [this, weak = std::weak_ptr(alive_)](const Result<Done>& done) {
            if (weak.expired()) return;
            if (!done) return failed(done.error());
            tell(*done);
            if (!done->status) return failed(done->status.error());
            look_later();
        });
}

ImageCollector::Done ImageCollector::act_on_disk(const images::BlobStore& blobs,
                                                 const images::CollectionPlan& plan) {
    Done done;
    for (const std::string& sha256 : plan.refresh) (void)blobs.use(sha256);
    for (const images::Blob& file : plan.files) {
        const auto freed = blobs.remove_spare(file);
        if (!freed) {
            done.status = fail(freed.error());
            return done;
        }
        if (*freed) done.files.push_back({file.sha256, **freed});
    }
    for (const std::string& sha256 : plan.parts) {
        done.status = blobs.remove_part(sha256);
        if (!done.status) return done;
        done.parts.push_back(sha256);
    }
    return done;
}

void ImageCollector::tell(const Done& done) {
    for (const std::string& sha256 : done.parts)
        deps_.log.info("unfinished image file deleted: no image names it", {{"sha256", sha256}});
    std::uint64_t bytes = 0;
    for (const images::Blob& file : done.files) {
        deps_.log.info("image file deleted: no image names it, and no disk lies on it",
                       {{"sha256", file.sha256}, {"bytes_freed", file.size_bytes}});
        bytes += file.size_bytes;
    }
    if (done.files.empty()) return;
    forget_old_operations();
    files_removed_.add(done.files.size());
    bytes_freed_.add(bytes);
    model::Operation begun{.kind = kKind,
                           .target = "nodes/" + settings_.host,
                           .node = settings_.host,
                           .unit = "bytes"};
    const auto operation = std::make_shared<RunningOperation>(
        RunningOperation::Deps{deps_.store, deps_.executor, deps_.clock}, make_id(deps_.random),
        std::move(begun));
    operation->progress(static_cast<std::int64_t>(bytes), static_cast<std::int64_t>(bytes),
                        counted(done.files.size(), "image file") + " that nothing needed");
    operation->end({});
}

// Nothing is deleted where not all is known; the next look may know it.
void ImageCollector::failed(const Error& error) {
    if (const std::string why = describe(error); why != error_said_) {
        deps_.log.warn("image files that nothing needs stay for now", {{"error", why}});
        error_said_ = why;
    }
    look_later();
}

}  // namespace blixard::daemon
