#include "daemon/daemon_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace blixard::daemon {
namespace {

std::uint64_t micros_since(std::chrono::steady_clock::time_point start) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now() - start)
                                          .count());
}

// Wraps `done` so that the time to the answer is recorded.
template <class T>
Callback<T> timed(Histogram& histogram, Counter* errors, Callback<T> done) {
    return [&histogram, errors, done = std::move(done),
            start = std::chrono::steady_clock::now()](Result<T> result) {
        histogram.record_micros(micros_since(start));
        if (!result && errors) errors->add();
        done(std::move(result));
    };
}

}  // namespace

TimedStore::TimedStore(store::Store& store, const Clock&, Metrics& metrics)
    : store_(store),
      commit_seconds_(metrics.histogram("blixard_store_commit_seconds",
                                        "From a transaction to its durable answer.")),
      read_seconds_(metrics.histogram("blixard_store_read_seconds",
                                      "Reads of the store; the API reads from memory.")),
      renew_seconds_(
          metrics.histogram("blixard_store_lease_renew_seconds", "Renewals of this host's lease.")),
      commit_errors_(metrics.counter("blixard_store_commit_errors_total",
                                     "Transactions that were not answered.")) {}

void TimedStore::commit(store::Transaction transaction, Callback<store::Committed> done) {
    store_.commit(std::move(transaction), timed(commit_seconds_, &commit_errors_, std::move(done)));
}
void TimedStore::read(store::Range range, Callback<store::RangeResult> done) {
    store_.read(std::move(range), timed(read_seconds_, nullptr, std::move(done)));
}
void TimedStore::current_revision(Callback<store::Revision> done) {
    store_.current_revision(std::move(done));
}
store::WatchId TimedStore::watch(std::string prefix, store::Revision from,
                                 store::WatchHandler& handler) {
    return store_.watch(std::move(prefix), from, handler);
}
void TimedStore::unwatch(store::WatchId watch) { store_.unwatch(watch); }
void TimedStore::grant_lease(Millis ttl, Callback<store::LeaseGrant> done) {
    store_.grant_lease(ttl, std::move(done));
}
void TimedStore::renew_lease(store::LeaseId lease, Callback<store::LeaseGrant> done) {
    store_.renew_lease(lease, timed(renew_seconds_, nullptr, std::move(done)));
}
void TimedStore::revoke_lease(store::LeaseId lease, Callback<bool> done) {
    store_.revoke_lease(lease, std::move(done));
}
void TimedStore::compact(store::Revision revision, Callback<store::Revision> done) {
    store_.compact(revision, std::move(done));
}

HttpObserver::HttpObserver(Metrics& metrics)
    : metrics_(metrics),
      refused_(
          metrics.counter("blixard_http_connections_refused_total", "Connections over the limit.")),
      cut_off_(metrics.counter("blixard_http_streams_cut_off_total",
                               "Streams whose client read too slowly.")) {}

void HttpObserver::exchanged(const api::http::Exchanged& exchange) {
    const std::string_view route =
        exchange.route.empty() ? std::string_view("none") : exchange.route;
    // The service names its routes, so there are only so many.
    const std::string key = fmt::format("{} {}", exchange.method, route);
    auto found = routes_.find(key);
    if (found == routes_.end()) {
        const MetricLabels labels = {{"method", std::string(exchange.method)},
                                     {"route", std::string(route)}};
        found = routes_
                    .emplace(key, Route{&metrics_.histogram("blixard_http_request_seconds",
                                                            "From the whole head to the last byte.",
                                                            labels),
                                        {}})
                    .first;
    }
    found->second.seconds->record_micros(static_cast<std::uint64_t>(exchange.micros));
    Counter*& counter = found->second.by_status[exchange.status];
    if (!counter)
        counter = &metrics_.counter("blixard_http_requests_total", "Requests answered.",
                                    {{"method", std::string(exchange.method)},
                                     {"route", std::string(route)},
                                     {"status", std::to_string(exchange.status)}});
    counter->add();
}

void UsageTable::set(const std::string& vm, const hypervisor::Usage& usage) {
    const std::lock_guard lock(mutex_);
    by_vm_[vm] = usage;
}

void UsageTable::keep_only(const std::vector<std::string>& vms) {
    const std::lock_guard lock(mutex_);
    std::erase_if(by_vm_, [&](const auto& each) {
        return std::find(vms.begin(), vms.end(), each.first) == vms.end();
    });
}

void UsageTable::append(MetricsText& text) const {
    const std::lock_guard lock(mutex_);
    const auto family = [&](std::string_view name, std::string_view type, std::string_view help,
                            auto member) {
        bool named = false;
        for (const auto& [vm, usage] : by_vm_) {
            if (!(usage.*member)) continue;  // not measured: absent
            if (!named) text.family(name, type, help);
            named = true;
            const std::size_t slash = vm.find('/');
            text.sample(name, {{"project", vm.substr(0, slash)}, {"vm", vm.substr(slash + 1)}},
                        static_cast<double>(*(usage.*member)));
        }
    };
    using hypervisor::Usage;
    family("blixard_vm_cpu_seconds_total", "counter", "CPU time of the VM's process.",
           &Usage::cpu_seconds);
    family("blixard_vm_memory_bytes", "gauge", "Memory that the VM's process holds.",
           &Usage::memory_bytes);
    family("blixard_vm_disk_read_bytes_total", "counter", "Read from its disks.",
           &Usage::disk_read_bytes);
    family("blixard_vm_disk_written_bytes_total", "counter", "Written to its disks.",
           &Usage::disk_written_bytes);
    family("blixard_vm_network_received_bytes_total", "counter", "Received by the guest.",
           &Usage::network_received_bytes);
    family("blixard_vm_network_sent_bytes_total", "counter", "Sent by the guest.",
           &Usage::network_sent_bytes);
}

void DaemonMetrics::append(std::string& out) {
    const view::SnapshotPtr state = view_.current();
    MetricsText text;
    text.family("blixard_vms", "gauge", "VMs in the cluster, by phase.");
    for (int phase = 0; phase < 8; ++phase)
        text.sample("blixard_vms",
                    {{"phase", std::string(model::phase_name(static_cast<model::Phase>(phase)))}},
                    static_cast<double>(state->counts.by_phase[phase]));
    std::int64_t ready = 0;
    state->nodes.for_each([&](const auto& node) { ready += node->ready(); });
    text.family("blixard_nodes", "gauge", "Hosts of the cluster.");
    text.sample("blixard_nodes", {{"state", "ready"}}, static_cast<double>(ready));
    text.sample("blixard_nodes", {{"state", "not-ready"}},
                static_cast<double>(static_cast<std::int64_t>(state->nodes.size()) - ready));
    text.family("blixard_revision", "gauge", "The store revision that this host has seen.");
    text.sample("blixard_revision", {}, static_cast<double>(state->revision));
    const auto one = [&](std::string_view name, std::string_view type, std::string_view help,
                         const std::atomic<std::uint64_t>& value) {
        text.family(name, type, help);
        text.sample(name, {}, static_cast<double>(value.load(std::memory_order_relaxed)));
    };
    one("blixard_controller_elected", "gauge", "1 where this host is the controller.",
        control_.elected);
    one("blixard_controller_pending_vms", "gauge",
        "VMs that want a place; 0 on hosts that are not elected.", control_.pending);
    one("blixard_controller_placed_total", "counter", "Placements decided by this daemon.",
        control_.placed);
    one("blixard_controller_failovers_total", "counter", "VMs that were moved from a lost host.",
        control_.failovers);
    one("blixard_controller_evictions_total", "counter",
        "VMs that made room for more important ones.", control_.evictions);
    one("blixard_controller_refused_commits_total", "counter",
        "Decisions that the store refused as out of date.", control_.refused_commits);
    one("blixard_vm_starts_total", "counter", "QEMU processes started.", control_.starts);
    one("blixard_vm_start_failures_total", "counter", "Starts that failed.",
        control_.start_failures);
    one("blixard_vm_stops_total", "counter", "Stops that were carried out.", control_.stops);
    one("blixard_vm_exits_total", "counter", "QEMU processes that ended.", control_.exits);
    one("blixard_vm_restarts_total", "counter", "Restarts by the restart policy.",
        control_.restarts);
    one("blixard_vm_status_writes_total", "counter", "Status records written.",
        control_.status_writes);
    text.family("blixard_http_connections", "gauge", "Open connections to the API.");
    text.sample("blixard_http_connections", {}, static_cast<double>(http_.connections()));
    usage_.append(text);
    out += text.take();
    out += metrics_.text();
}

}  // namespace blixard::daemon
