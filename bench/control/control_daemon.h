// One daemon's control plane on a real store: view, agent (of a host that starts nothing real) and
// controller, on a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/log.h"
#include "base/random.h"
#include "bench/control/loop_thread.h"
#include "controller/controller.h"
#include "hypervisor/fake/fake_hypervisor.h"
#include "view/view.h"

namespace blixard::bench {

class ControlDaemon {
 public:
    // Starts; its host is `name`, with `cpus` and 4 GiB of memory for each.
    ControlDaemon(std::vector<std::string> endpoints, std::string name, std::int64_t cpus);
    // As a crash: the lease is not given back. Its host's machines end with it.
    ~ControlDaemon();

    bool elected();
    controller::ControllerCounters counters();
    double cpu_seconds() { return thread_.cpu_seconds(); }

 private:
    class FileBlobs;
    class AgentLease;

    void start(std::vector<std::string> endpoints, std::int64_t cpus);

    const std::string name_;
    NullLog log_;
    SeededRandom random_;
    LoopThread thread_;
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<view::View> view_;
    std::unique_ptr<hypervisor::FakeHost> machines_;
    std::unique_ptr<hypervisor::FakeHypervisor> hypervisor_;
    std::unique_ptr<FileBlobs> blobs_;
    std::unique_ptr<AgentLease> lease_;
    std::unique_ptr<agent::Agent> agent_;
    std::unique_ptr<controller::Controller> controller_;
};

}  // namespace blixard::bench
