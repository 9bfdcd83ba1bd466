// Everything under /metrics: what was recorded while things happened, and what is counted when
// asked for.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/server.h"
#include "api/ports.h"
#include "base/metrics.h"
#include "hypervisor/hypervisor.h"
#include "view/view.h"

namespace blixard::daemon {

// Times the store's work, whatever the adapter.
class TimedStore final : public store::Store {
 public:
    TimedStore(store::Store& store, const Clock& clock, Metrics& metrics);
    void commit(store::Transaction transaction, Callback<store::Committed> done) override;
    void read(store::Range range, Callback<store::RangeResult> done) override;
    void current_revision(Callback<store::Revision> done) override;
    store::WatchId watch(std::string prefix, store::Revision from,
                         store::WatchHandler& handler) override;
    void unwatch(store::WatchId watch) override;
    void grant_lease(Millis ttl, Callback<store::LeaseGrant> done) override;
    void renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) override;
    void revoke_lease(store::LeaseId lease, Callback<bool> done) override;
    void compact(store::Revision revision, Callback<store::Revision> done) override;

 private:
    store::Store& store_;
    Histogram& commit_seconds_;
    Histogram& read_seconds_;
    Histogram& renew_seconds_;
    Counter& commit_errors_;
};

class HttpObserver final : public api::http::Observer {
 public:
    explicit HttpObserver(Metrics& metrics);
    void exchanged(const api::http::Exchanged& exchange) override;
    void connections_open(std::size_t count) override {
        connections_.store(count, std::memory_order_relaxed);
    }
    void connection_refused() override { refused_.add(); }
    void stream_cut_off() override { cut_off_.add(); }
    std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }

 private:
    struct Route {
        Histogram* seconds;
        std::map<int, Counter*> by_status;
    };
    Metrics& metrics_;
    Counter& refused_;
    Counter& cut_off_;
    std::atomic<std::size_t> connections_{0};
    std::map<std::string, Route, std::less<>>
        routes_;  // "GET /v1/vms/{name}"; the server's loop only
};

// What the control loop last knew, for the API's thread.
struct ControlFigures {
    std::atomic<std::uint64_t> elected{0}, pending{0}, placed{0}, failovers{0}, evictions{0},
        refused_commits{0};
    std::atomic<std::uint64_t> starts{0}, start_failures{0}, stops{0}, exits{0}, restarts{0},
        status_writes{0};
};

// Usage of the VMs on this host, as measured by the control loop. Guarded by its own lock.
class UsageTable {
 public:
    void set(const std::string& vm, const hypervisor::Usage& usage);
    void keep_only(const std::vector<std::string>& vms);
    void append(MetricsText& text) const;

 private:
    mutable std::mutex mutex_;
    std::map<std::string, hypervisor::Usage> by_vm_;  // guarded by mutex_
};

class DaemonMetrics final : public api::MetricsPort {
 public:
    DaemonMetrics(const view::View& view, const Metrics& metrics, const HttpObserver& http,
                  const ControlFigures& control, const UsageTable& usage, std::string node)
        : view_(view),
          metrics_(metrics),
          http_(http),
          control_(control),
          usage_(usage),
          node_(std::move(node)) {}
    void append(std::string& out) override;

 private:
    const view::View& view_;
    const Metrics& metrics_;
    const HttpObserver& http_;
    const ControlFigures& control_;
    const UsageTable& usage_;
    const std::string node_;
};

}  // namespace blixard::daemon
