// Short ways to write clusters and VMs in this room's tests.
#pragma once

#include <memory>
#include <string>

#include "scheduler/place.h"

namespace blixard::scheduler {

inline Host a_host(std::string name, std::int64_t cpus, std::int64_t memory_mib,
                   std::int64_t disk_mib = 0) {
    Host host;
    host.name = std::move(name);
    host.capacity = {cpus * 1000, memory_mib, disk_mib};
    return host;
}

inline Request a_vm(std::string name, std::int64_t cpus, std::int64_t memory_mib) {
    Request request;
    request.vm = std::move(name);
    request.project = "p";
    request.need = {cpus * 1000, memory_mib, 0};
    return request;
}

inline std::shared_ptr<const Request> shared(Request request) {
    return std::make_shared<const Request>(std::move(request));
}

}  // namespace blixard::scheduler
