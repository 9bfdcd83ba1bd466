// Who is connected to this host over TCP. Source: proc(5), /proc/net/tcp and /proc/net/tcp6.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace blixard::os {

struct TcpConnection {
    std::string remote;  // an address as inet_ntop writes it; IPv4 also where it came over IPv6
    int local_port = 0;

    bool operator==(const TcpConnection&) const = default;
};

// The established connections in the text of one of those files; lines that are not understood are
// left out. Pure.
std::vector<TcpConnection> parse_tcp_table(std::string_view text);

// Is any of these addresses connected to any of these ports of this network namespace?
Result<bool> is_connected(const std::set<std::string>& remotes, const std::set<int>& local_ports);

}  // namespace blixard::os
