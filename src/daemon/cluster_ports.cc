#include "daemon/cluster_ports.h"

#include <fmt/format.h>

namespace blixard::daemon {

Result<std::vector<std::string>> parse_store_address(std::string_view text) {
    constexpr std::string_view kScheme = "etcd://";
    if (!text.starts_with(kScheme))
        return fail_field("store", fmt::format("\"{}\" names no store", text),
                          "write etcd://HOST:PORT,HOST:PORT");
    std::vector<std::string> endpoints;
    for (text.remove_prefix(kScheme.size()); !text.empty();) {
        const std::size_t comma = text.find(',');
        endpoints.emplace_back(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    if (endpoints.empty())
        return fail_field("store", "no etcd is named", "write etcd://HOST:PORT,HOST:PORT");
    return endpoints;
}

}  // namespace blixard::daemon
