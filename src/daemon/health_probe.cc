#include "daemon/health_probe.h"

#include "os/probe.h"

namespace blixard::daemon {

void NetworkProbe::probe(const model::HealthCheck& check, const std::string& address,
                         Callback<bool> healthy) {
    const Result<os::ProbeTarget> target = os::parse_probe_target(address);
    if (!target) {
        loop_.post([healthy, error = target.error()] { healthy(fail(error)); });
        return;
    }
    const Millis timeout = seconds(check.timeout_s);
    if (check.kind == model::HealthKind::kHttp)
        return os::probe_http(loop_, *target, check.path.empty() ? "/" : check.path, timeout,
                              std::move(healthy));
    os::probe_tcp(loop_, *target, timeout, std::move(healthy));
}

}  // namespace blixard::daemon
