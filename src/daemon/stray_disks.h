// Which disk files of this host no record of a volume names (images/stray_disks.h), for the API.
// The files are looked at first and the store is asked behind them, not this daemon's memory: a
// disk that is being made has its record already, and a store that is away finds no strays.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/ports.h"
#include "images/stray_disks.h"
#include "os/worker_pool.h"
#include "store/store.h"

namespace blixard::daemon {

class StrayDiskSearch final : public api::DisksPort {
 public:
    // All outlive this. `loop`: the store's.
    struct Deps {
        os::WorkerPool& workers;
        store::Store& store;
        Executor& loop;
        Executor& api;
    };
    // Of the pools, directories are looked into.
    StrayDiskSearch(Deps deps, std::string local_directory,
                    std::map<std::string, std::string> pools)
        : deps_(deps), local_directory_(std::move(local_directory)), pools_(std::move(pools)) {}
    void strays(Callback<api::StrayReport> done) override;

 private:
    struct Search {
        api::StrayReport found;  // all disks at first
        Callback<api::StrayReport> done;
    };
    using SearchPtr = std::shared_ptr<Search>;

    static Search look(const std::string& local_directory,
                       const std::map<std::string, std::string>& pools);
    void drop_named(SearchPtr search, std::string after, store::Revision at);
    void answer(const SearchPtr& search, Result<api::StrayReport> result);

    const Deps deps_;
    const std::string local_directory_;
    const std::map<std::string, std::string> pools_;  // name -> directory, or "rbd:..."
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace blixard::daemon
