// NodePort for the VMs of this host: the hypervisor on its own executor, the API on another.
#pragma once

#include "api/ports.h"

namespace blixard::api {

class LocalNode final : public NodePort {
 public:
    // `hypervisor` lives on `there`; the API on `here`. Both executors and the hypervisor outlive
    // this, and what was posted by it.
    LocalNode(hypervisor::Hypervisor& hypervisor, Executor& there, Executor& here)
        : hypervisor_(hypervisor), there_(there), here_(here) {}

    void console_log(std::string vm, std::size_t max_bytes, Callback<std::string> done) override;
    void open_console(std::string vm, std::weak_ptr<ConsoleListener> listener,
                      Callback<std::shared_ptr<Console>> done) override;
    void usage(hypervisor::InstanceId id, Callback<hypervisor::Usage> done) override;

 private:
    hypervisor::Hypervisor& hypervisor_;
    Executor& there_;
    Executor& here_;
};

}  // namespace blixard::api
