#include "bench/api/vm_text.h"

#include <fmt/format.h>

#include "bench/api/http_client.h"

namespace blixard::bench {

std::string stopped_vm_name(std::uint64_t number) { return fmt::format("vm-{:05}", number); }

std::string create_text(std::uint64_t number) {
    std::string user_data = "#cloud-config\\nusers:\\n";
    for (int i = 0; i < 6; ++i)
        user_data +=
            fmt::format("  - name: user-{}\\n    groups: sudo\\n    shell: /bin/bash\\n", i);
    const std::string body = fmt::format(
        R"({{"name":"{}","spec":{{"image":"{}","cpus":2,"memory_mib":512,"run":"stopped","labels":{{"app":"shop","tier":"web",)"
        R"("owner":"team-{}"}},"cloud_init":{{"user_data":"{}"}}}}}})",
        stopped_vm_name(number), kIdleImage, number % 7, user_data);
    return request_text("POST", "/v1/vms", body);
}

}  // namespace blixard::bench
