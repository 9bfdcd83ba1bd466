// Health checks over the network, from the host.
#pragma once

#include "agent/agent.h"
#include "os/event_loop.h"

namespace blixard::daemon {

class NetworkProbe final : public agent::HealthProbe {
 public:
    explicit NetworkProbe(os::EventLoop& loop) : loop_(loop) {}
    void probe(const model::HealthCheck& check, const std::string& address,
               Callback<bool> healthy) override;

 private:
    os::EventLoop& loop_;
};

}  // namespace blixard::daemon
