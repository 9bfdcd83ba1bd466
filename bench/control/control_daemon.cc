#include "bench/control/control_daemon.h"

#include "store/etcd/etcd_store.h"

namespace blixard::bench {

class ControlDaemon::FileBlobs final : public agent::Blobs {
 public:
    explicit FileBlobs(Executor& executor) : executor_(executor) {}
    void ensure(const std::string& sha256, Callback<std::string> done) override {
        executor_.post([sha256, done] { done("/blobs/" + sha256); });
    }

 private:
    Executor& executor_;
};

class ControlDaemon::AgentLease final : public controller::LeaseSource {
 public:
    explicit AgentLease(const agent::Agent& agent) : agent_(agent) {}
    store::LeaseId lease() const override { return agent_.lease().id(); }
    store::Revision lease_key_revision() const override { return agent_.lease().key_revision(); }

 private:
    const agent::Agent& agent_;
};

ControlDaemon::ControlDaemon(std::vector<std::string> endpoints, std::string name,
                             std::int64_t cpus)
    : name_(std::move(name)), random_(std::hash<std::string>{}(name_)) {
    thread_.run([&] { start(std::move(endpoints), cpus); });
}

ControlDaemon::~ControlDaemon() {
    thread_.run([&] {
        controller_.reset();
        lease_.reset();
        agent_.reset();
        hypervisor_.reset();
        blobs_.reset();
        machines_.reset();
        view_.reset();
        store_.reset();
    });
    thread_.run([] {});  // what the store has posted
}

void ControlDaemon::start(std::vector<std::string> endpoints, std::int64_t cpus) {
    os::EventLoop& loop = thread_.loop();
    store_ = *store::EtcdStore::connect({.endpoints = std::move(endpoints)}, loop, loop, log_);
    view_ = std::make_unique<view::View>(*store_, loop, loop, log_);
    machines_ = std::make_unique<hypervisor::FakeHost>(loop, loop);
    hypervisor_ = std::make_unique<hypervisor::FakeHypervisor>(*machines_);
    blobs_ = std::make_unique<FileBlobs>(loop);
    agent::AgentSettings settings{.node = name_};
    settings.facts.uid = name_;
    settings.facts.cpus = cpus;
    settings.facts.memory_mib = cpus * 4096;
    settings.facts.accelerator = "tcg";
    settings.storage.data_dir = "/nowhere";
    view_->start([this, settings](const Status& ready) {
        if (!ready) return;
        os::EventLoop& mine = thread_.loop();
        agent_ = std::make_unique<agent::Agent>(
            agent::Agent::Deps{*store_, *view_, *hypervisor_, *blobs_, nullptr, mine, mine, random_,
                               log_},
            settings);
        lease_ = std::make_unique<AgentLease>(*agent_);
        controller_ = std::make_unique<controller::Controller>(
            controller::Controller::Deps{*store_, *view_, mine, mine, random_, log_, *lease_},
            controller::ControllerSettings{.node = name_, .run_uid = make_id(random_)});
        agent_->start([this](const Status& recovered) {
            if (recovered) controller_->start();
        });
    });
}

bool ControlDaemon::elected() {
    bool elected = false;
    thread_.run([&] { elected = controller_ && controller_->elected(); });
    return elected;
}

controller::ControllerCounters ControlDaemon::counters() {
    controller::ControllerCounters counters;
    thread_.run([&] {
        if (controller_) counters = controller_->counters();
    });
    return counters;
}

}  // namespace blixard::bench
