#include "bench/control/fleet.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "model/documents.h"
#include "model/keys.h"
#include "store/etcd/etcd_store.h"

namespace blixard::bench {
namespace {

constexpr std::int64_t kHostCpus = 64;
constexpr std::size_t kFillAtOnce = 60;  // puts in one transaction
constexpr Millis kPatience = seconds(60);

bool wait_until(const std::function<bool()>& done, Millis patience) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience.count);
    while (!done()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

// A VM of daily life, without a disk of its own.
model::VmRecord record_of(const std::string& name) {
    model::VmRecord record{.uid = fmt::format("{:0>32}", name)};
    record.spec.image = "bench";
    record.spec.cpus = 2;
    record.spec.memory_mib = 2048;
    record.spec.labels = {{"app", "shop"}, {"tier", "web"}};
    return record;
}

}  // namespace

Fleet::Fleet(std::vector<std::string> endpoints) {
    thread_.run([&] {
        for (std::size_t i = 0; i < endpoints.size(); ++i) {
            stores_.push_back(
                *store::EtcdStore::connect({.endpoints = endpoints, .request_timeout = seconds(30)},
                                           thread_.loop(), thread_.loop(), log_));
            std::rotate(endpoints.begin(), endpoints.begin() + 1, endpoints.end());
        }
    });
}

Fleet::~Fleet() {
    thread_.run([&] {
        hosts_.clear();
        stores_.clear();
    });
    thread_.run([] {});
}

bool Fleet::commit_all(std::vector<store::Transaction> transactions) {
    std::atomic<std::size_t> left{transactions.size()};
    std::atomic<bool> good{true};
    for (store::Transaction& one : transactions)
        store().commit(std::move(one), [&](const Result<store::Committed>& done) {
            if (!done || !done->succeeded) good = false;
            --left;
        });
    return wait_until([&] { return left == 0; }, kPatience) && good;
}

bool Fleet::prepare() {
    model::Image image{.uid = "bench",
                       .files = {{.role = model::FileRole::kKernel, .sha256 = "k"}}};
    store::Transaction put;
    put.puts.push_back({model::image_key("bench"), model::to_json(image)});
    // A new cluster elects first.
    if (!wait_until([&] { return commit_all({put}); }, kPatience)) return false;
    thread_.run([&] { store().watch("vms/", 1, *this); });
    return true;
}

bool Fleet::add_hosts(std::int64_t count) {
    std::vector<store::Transaction> records;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::string name = fmt::format("sim-{:05}", i);
        model::NodeStatus facts{
            .uid = name, .cpus = kHostCpus, .memory_mib = kHostCpus * 4096, .disk_mib = 2'000'000};
        facts.accelerator = "kvm";
        store::Transaction put;
        put.puts.push_back(
            {model::node_key(name, "spec"), model::to_json(model::NodeSpec{.uid = name})});
        put.puts.push_back({model::node_key(name, "status"), model::to_json(facts)});
        records.push_back(std::move(put));
        hosts_[name].name = name;
        hosts_[name].store = stores_[static_cast<std::size_t>(i) % stores_.size()].get();
    }
    if (!commit_all(std::move(records))) return false;
    thread_.run([&] {
        os::EventLoop& loop = thread_.loop();
        std::int64_t number = 0;
        for (auto& [name, host] : hosts_) {
            host.lease = std::make_unique<agent::HostLease>(
                agent::HostLease::Deps{*host.store, loop, loop, log_}, name, "run-" + name,
                agent::LeaseSettings{},
                [] { return store::Revision{0}; },  // nobody was here before
                [](MonoTime) {}, [] {}, [] {});
            // Not all in one moment, as hosts are not.
            loop.after(Millis{number++ % 1000}, [lease = host.lease.get()] { lease->start(); });
        }
    });
    return wait_until(
        [&] {
            bool all = true;
            thread_.run([&] {
                for (const auto& [name, host] : hosts_) all = all && host.lease->held();
            });
            return all;
        },
        kPatience);
}

void Fleet::set_agents(bool answer) {
    thread_.run([&] { agents_ = answer; });
}

bool Fleet::cordon(const std::string& node) {
    model::NodeSpec spec{.uid = node};
    spec.schedulable = false;
    store::Transaction put;
    put.puts.push_back({model::node_key(node, "spec"), model::to_json(spec)});
    return commit_all({put});
}

void Fleet::create(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        store::Transaction put;
        const std::string key = model::vm_key("default", name, "spec");
        put.compares.push_back({key, 0});
        put.puts.push_back({key, model::to_json(record_of(name))});
        {
            std::lock_guard lock(mutex_);
            seen_[name].created = std::chrono::steady_clock::now();
        }
        store().commit(std::move(put), [](const Result<store::Committed>&) {});
    }
}

bool Fleet::wait_for(const std::vector<std::string>& names, bool running, Millis patience) {
    std::size_t done = 0;  // so many of them, in their order
    return wait_until(
        [&] {
            std::lock_guard lock(mutex_);
            for (; done < names.size(); ++done) {
                const auto found = seen_.find(names[done]);
                if (found == seen_.end()) return false;
                if (!(running ? found->second.runs : found->second.has_place)) return false;
            }
            return true;
        },
        patience);
}

std::vector<Fleet::Times> Fleet::times(const std::vector<std::string>& names) {
    std::lock_guard lock(mutex_);
    std::vector<Times> times;
    for (const std::string& name : names)
        if (const Seen& seen = seen_[name]; seen.has_place)
            times.push_back({seen.created, seen.placed});
    return times;
}

Written Fleet::take_written() {
    std::lock_guard lock(mutex_);
    return std::exchange(written_, {});
}

void Fleet::on_batch(store::WatchBatch batch) {
    const Moment now = std::chrono::steady_clock::now();
    store::Revision revision = 0, placement_revision = 0;
    std::vector<std::pair<std::string, const store::KeyValue*>> to_answer;
    {
        std::lock_guard lock(mutex_);
        for (const store::Change& change : batch.changes) {
            ++written_.puts;
            written_.bytes +=
                static_cast<std::int64_t>(change.item.key.size() + change.item.value.size());
            written_.transactions += change.item.mod_revision != revision;
            revision = change.item.mod_revision;
            const model::ParsedKey key = model::parse_key(change.item.key);
            if (key.kind == model::RecordKind::kVmStatus)
                seen_[std::string(key.name)].runs =
                    change.item.value.find(R"("phase":"running")") != std::string::npos;
            if (key.kind != model::RecordKind::kVmPlacement) continue;
            ++written_.placements;
            written_.placement_bytes += static_cast<std::int64_t>(change.item.value.size());
            written_.placement_transactions += change.item.mod_revision != placement_revision;
            placement_revision = change.item.mod_revision;
            Seen& seen = seen_[std::string(key.name)];
            if (change.item.value.find(R"("node":"",)") != std::string::npos) continue;
            seen.placed = now;
            seen.has_place = true;
            if (agents_) to_answer.emplace_back(key.name, &change.item);
        }
    }
    for (const auto& [name, item] : to_answer) answer(name, *item);
}

void Fleet::answer(const std::string& name, const store::KeyValue& placement) {
    const Result<model::Placement> value =
        model::parse_placement(placement.value, model::Mode::kLenient);
    if (!value || !hosts_.contains(value->node)) return;
    say(name, value->node, value->epoch, placement.mod_revision, 0, false);
}

void Fleet::say(const std::string& name, const std::string& node, std::int64_t epoch,
                store::Revision placement, store::Revision status, bool running) {
    const Host& host = hosts_.at(node);
    model::VmStatus said{.uid = record_of(name).uid,
                         .phase = running ? model::Phase::kRunning : model::Phase::kStarting,
                         .since = to_rfc3339(thread_.loop().wall()),
                         .node = node,
                         .epoch = epoch};
    if (running) {
        said.pid = 4711;
        said.pid_start = 123456;
        said.accelerator = "kvm";
    }
    store::Transaction write;
    write.compares.push_back({model::vm_key("default", name, "placement"), placement});
    write.compares.push_back({model::vm_key("default", name, "status"), status});
    write.compares.push_back({model::node_key(node, "lease"), host.lease->key_revision()});
    write.puts.push_back({model::vm_key("default", name, "status"), model::to_json(said)});
    host.store->commit(std::move(write), [=, this](const Result<store::Committed>& done) {
        if (done && done->succeeded && !running && !hosts_.empty())
            say(name, node, epoch, placement, done->revision, true);
    });
}

bool Fleet::fill(const std::string& prefix, std::int64_t count) {
    std::vector<store::Transaction> all;
    store::Transaction put;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::string name = fmt::format("{}{:06}", prefix, i);
        model::VmRecord record = record_of(name);
        record.spec.run = model::Run::kStopped;
        model::Placement placement{.uid = record.uid, .epoch = 1, .reason = "stopped"};
        placement.decision = std::string(R"({"outcome":"placed","parts":[],"notes":")") +
                             std::string(500, 'x') + "\"}";
        model::VmStatus status{.uid = record.uid, .phase = model::Phase::kStopped, .epoch = 1};
        put.puts.push_back({model::vm_key("default", name, "spec"), model::to_json(record)});
        put.puts.push_back(
            {model::vm_key("default", name, "placement"), model::to_json(placement)});
        put.puts.push_back({model::vm_key("default", name, "status"), model::to_json(status)});
        if (put.puts.size() >= kFillAtOnce || i + 1 == count) all.push_back(std::exchange(put, {}));
    }
    return commit_all(std::move(all));
}

}  // namespace blixard::bench
