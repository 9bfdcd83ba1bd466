// The control plane without its edges: real view, agents and controllers on the memory store and
// fake hosts, on virtual time. For tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/agent.h"
#include "controller/controller.h"
#include "hypervisor/fake/fake_hypervisor.h"
#include "model/documents.h"
#include "model/keys.h"
#include "store/memory/memory_backend.h"
#include "store/memory/memory_store.h"
#include "store/test_loop.h"

namespace blixard::controller {

// The story as it happens, for whoever reads a failure: BLIXARD_TEST_LOG=1 test_controller ...
class PrintedLog final : public Log {
 public:
    void write(LogLevel, std::string_view event, std::initializer_list<LogField> fields) override {
        if (!std::getenv("BLIXARD_TEST_LOG")) return;
        std::string line(event);
        for (const LogField& field : fields) line += fmt::format(" {}={}", field.name, field.value);
        std::puts(line.c_str());
    }
};

class PathBlobs final : public agent::Blobs {
 public:
    explicit PathBlobs(Executor& executor) : executor_(executor) {}
    void ensure(const std::string& sha256, Callback<std::string> done) override {
        executor_.post([sha256, done, here = here] {
            done(here ? Result<std::string>("/blobs/" + sha256)
                      : fail(ErrorCode::kNotFound, "no host that answers has file " + sha256));
        });
    }
    bool here = true;

 private:
    Executor& executor_;
};

class AgentLease final : public LeaseSource {
 public:
    store::LeaseId lease() const override { return agent ? agent->lease().id() : 0; }
    store::Revision lease_key_revision() const override {
        return agent ? agent->lease().key_revision() : 0;
    }
    agent::Agent* agent = nullptr;
};

// One host: what survives its daemon, and the daemon.
struct Host {
    Host(store::TestLoop& loop, std::string host_name)
        : name(std::move(host_name)), machines(loop, loop) {}

    void start_daemon(store::TestLoop& loop, std::shared_ptr<store::MemoryBackend> backend,
                      Random& random, Log& log) {
        store = std::make_unique<store::MemoryStore>(std::move(backend), loop,
                                                     store::MemoryOptions{.faults = faults});
        view = std::make_unique<view::View>(*store, loop, loop, log);
        hypervisor = std::make_unique<hypervisor::FakeHypervisor>(machines);
        blobs = std::make_unique<PathBlobs>(loop);
        agent::AgentSettings settings{.node = name};
        settings.facts.uid = name;
        settings.facts.cpus = 8;
        settings.facts.memory_mib = 4096;
        settings.facts.disk_mib = 100000;
        settings.facts.accelerator = "tcg";
        settings.storage.data_dir = "/data/" + name;
        settings.look_at_all_every = look_at_all_every;
        view->start([this, &loop, &random, &log, settings](Status ready) {
            ASSERT_TRUE(ready);
            agent = std::make_unique<agent::Agent>(
                agent::Agent::Deps{*store, *view, *hypervisor, *blobs, probe, loop, loop, random,
                                   log},
                settings);
            lease.agent = agent.get();
            controller = std::make_unique<Controller>(
                Controller::Deps{*store, *view, loop, loop, random, log, lease},
                ControllerSettings{.node = name, .run_uid = make_id(random), .policy = policy});
            agent->start([this](Status recovered) {
                ASSERT_TRUE(recovered);
                controller->start();
            });
        });
    }
    void kill_daemon() {
        if (store) store->crash();
        lease.agent = nullptr;
        controller.reset();
        agent.reset();
        hypervisor.reset();
        view.reset();
        store.reset();
    }
    void cut_power() {
        kill_daemon();
        machines.cut_power();
    }

    std::string name;
    scheduler::Policy policy;
    Millis look_at_all_every{};  // of its agent
    store::FaultPlan* faults = nullptr;
    agent::HealthProbe* probe = nullptr;
    hypervisor::FakeHost machines;
    AgentLease lease;
    std::unique_ptr<store::MemoryStore> store;
    std::unique_ptr<view::View> view;
    std::unique_ptr<hypervisor::FakeHypervisor> hypervisor;
    std::unique_ptr<PathBlobs> blobs;
    std::unique_ptr<agent::Agent> agent;
    std::unique_ptr<Controller> controller;
};

class ControlPlane : public testing::Test {
 protected:
    ControlPlane() {
        model::Image image{.uid = "img",
                           .files = {{.role = model::FileRole::kKernel, .sha256 = "k"}}};
        put(model::image_key("demo"), model::to_json(image));
        store_view->start([](const Status&) {});
    }
    ~ControlPlane() override {
        for (auto& [name, host] : hosts) host->kill_daemon();
        store_view.reset();
        store.reset();
        loop.run_for(seconds(10));  // what is on its way holds the backend
    }

    void add_hosts(int count, const scheduler::Policy& policy = {}) {
        for (int i = 1; i <= count; ++i) {
            const std::string name = fmt::format("h{}", i);
            put(model::node_key(name, "spec"), model::to_json(model::NodeSpec{.uid = name}));
            hosts[name] = std::make_unique<Host>(loop, name);
            hosts[name]->policy = policy;
            hosts[name]->faults = faults;
            hosts[name]->probe = probe;
            hosts[name]->look_at_all_every = look_at_all_every;
            hosts[name]->start_daemon(loop, backend, random, log);
        }
    }
    void restart_daemon(const std::string& name) {
        hosts.at(name)->start_daemon(loop, backend, random, log);
    }

    void put(const std::string& key, const std::string& value) {
        store::Transaction transaction;
        transaction.puts.push_back({key, value});
        ASSERT_TRUE(backend->commit(transaction));
    }
    void create(const std::string& name, const std::function<void(model::VmSpec&)>& change = {}) {
        model::VmRecord record{.uid = "uid-" + name};
        record.spec.image = "demo";
        record.spec.memory_mib = 512;
        if (change) change(record.spec);
        put(model::vm_key("default", name, "spec"), model::to_json(record));
    }
    void change(const std::string& name, const std::function<void(model::VmRecord&)>& change) {
        model::VmRecord record = vm(name)->record->value;
        change(record);
        ++record.generation;
        put(model::vm_key("default", name, "spec"), model::to_json(record));
    }
    const view::VmEntry* vm(const std::string& name) {
        state = store_view->current();
        return state->vms.find("default/" + name);
    }
    bool reaches(const std::string& name, model::Phase phase, Millis patience = seconds(30)) {
        return loop.run_until([&] { return vm(name) && vm(name)->phase == phase; }, patience);
    }
    std::string node_of(const std::string& name) { return std::string(vm(name)->node()); }
    int running_on_hosts(const std::string& name) {
        int count = 0;
        for (const auto& [host_name, host] : hosts) count += host->machines.runs("default/" + name);
        return count;
    }

    store::TestLoop loop{store::TestTime::kVirtual};
    SeededRandom random{1};
    PrintedLog log;
    // Of hosts added from now on; null: nothing happens to their transactions.
    store::FaultPlan* faults = nullptr;
    agent::HealthProbe* probe = nullptr;  // the same
    Millis look_at_all_every = agent::AgentSettings{}.look_at_all_every;
    std::shared_ptr<store::MemoryBackend> backend =
        std::make_shared<store::MemoryBackend>(loop, loop);
    std::unique_ptr<store::MemoryStore> store = std::make_unique<store::MemoryStore>(backend, loop);
    std::unique_ptr<view::View> store_view = std::make_unique<view::View>(*store, loop, loop, log);
    view::SnapshotPtr state;
    std::map<std::string, std::unique_ptr<Host>> hosts;
};

}  // namespace blixard::controller
