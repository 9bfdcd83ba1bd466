#include "daemon/stray_disks.h"

#include "base/result.h"
#include "hypervisor/qemu/ceph_image.h"
#include "os/files.h"

namespace blixard::daemon {
namespace {

constexpr const char* kLocal = "local";
constexpr std::size_t kPageItems = 500;

}  // namespace

void StrayDiskSearch::strays(Callback<api::StrayReport> done) {
    deps_.loop.post([this, done = std::move(done), weak = std::weak_ptr(alive_)]() mutable {
        if (weak.expired()) return;
        auto search = std::make_shared<Search>();
        search->done = std::move(done);
        deps_.workers.run<Search>(
            deps_.loop,
            [local = local_directory_, pools = pools_]() -> Result<Search> {
                return look(local, pools);
            },
            [this, search, weak](Result<Search> seen) {
                if (weak.expired()) return;
                if (!seen) return answer(search, fail(seen.error()));
                search->found = std::move(seen->found);
                drop_named(search, "", 0);
            });
    });
}

StrayDiskSearch::Search StrayDiskSearch::look(const std::string& local_directory,
                                              const std::map<std::string, std::string>& pools) {
    Search search;
    const auto look_into = [&](const std::string& pool, const std::string& directory) {
        if (pool != kLocal && !os::path_exists(directory)) {
            search.found.unseen.push_back({pool, directory + " is not there: is it mounted?"});
            return;
        }
        auto disks = images::disks_in(directory);
        if (disks)
            search.found.by_pool[pool] = std::move(*disks);
        else
            search.found.unseen.push_back({pool, describe(disks.error())});
    };
    look_into(kLocal, local_directory);
    for (const auto& [pool, place] : pools) {
        if (hypervisor::is_ceph(place))
            search.found.unseen.push_back({pool, "pools in Ceph are not looked into"});
        else
            look_into(pool, place);
    }
    return search;
}

void StrayDiskSearch::drop_named(SearchPtr search, std::string after, store::Revision at) {
    deps_.store.read(
        {.prefix = "volumes/", .after = std::move(after), .limit = kPageItems, .at = at},
        [this, search, weak = std::weak_ptr(alive_)](Result<store::RangeResult> page) {
            if (weak.expired()) return;
            if (!page) return answer(search, fail(page.error()));
            for (const store::KeyValue& item : page->items)
                for (auto& [pool, disks] : search->found.by_pool)
                    images::drop_named(disks, item.value);
            if (page->more) return drop_named(search, page->items.back().key, page->revision);
            answer(search, std::move(search->found));
        });
}

void StrayDiskSearch::answer(const SearchPtr& search, Result<api::StrayReport> result) {
    deps_.api.post([done = std::move(search->done), result = std::move(result)]() mutable {
        done(std::move(result));
    });
}

}  // namespace blixard::daemon
