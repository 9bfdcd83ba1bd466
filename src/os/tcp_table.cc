#include "os/tcp_table.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <sstream>

#include "os/files.h"

namespace blixard::os {
namespace {

constexpr std::string_view kEstablished = "01";
constexpr std::size_t kTableBytesMax = 256u << 20;

template <class Number>
std::optional<Number> hex_number(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// 8 or 32 hex digits: 32-bit words of the address, each as this machine's number.
std::optional<std::string> address_text(std::string_view hex) {
    unsigned char bytes[sizeof(in6_addr)];
    if (hex.size() != 8 && hex.size() != 32) return std::nullopt;
    for (std::size_t at = 0; at < hex.size(); at += 8) {
        const auto word = hex_number<std::uint32_t>(hex.substr(at, 8));
        if (!word) return std::nullopt;
        std::memcpy(bytes + at / 2, &*word, sizeof *word);
    }
    static constexpr unsigned char kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    const bool mapped = hex.size() == 32 && std::memcmp(bytes, kMapped, sizeof kMapped) == 0;
    char text[INET6_ADDRSTRLEN];
    if (hex.size() == 8 || mapped)
        inet_ntop(AF_INET, mapped ? bytes + sizeof kMapped : bytes, text, sizeof text);
    else
        inet_ntop(AF_INET6, bytes, text, sizeof text);
    return text;
}

}  // namespace

std::vector<TcpConnection> parse_tcp_table(std::string_view text) {
    std::vector<TcpConnection> connections;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string number, local, remote, state;
        if (!(words >> number >> local >> remote >> state) || state != kEstablished) continue;
        const std::size_t local_colon = local.find(':'), remote_colon = remote.find(':');
        if (local_colon == std::string::npos || remote_colon == std::string::npos) continue;
        const auto port = hex_number<int>(std::string_view(local).substr(local_colon + 1));
        const auto address = address_text(std::string_view(remote).substr(0, remote_colon));
        if (port && address) connections.push_back({*address, *port});
    }
    return connections;
}

Result<bool> is_connected(const std::set<std::string>& remotes, const std::set<int>& local_ports) {
    for (const char* path : {"/proc/self/net/tcp", "/proc/self/net/tcp6"}) {
        if (!path_exists(path)) continue;  // a kernel without IPv6
        ASSIGN_OR_RETURN(const std::string text, read_file(path, kTableBytesMax));
        const auto connections = parse_tcp_table(text);
        const bool found =
            std::any_of(connections.begin(), connections.end(), [&](const TcpConnection& one) {
                return remotes.contains(one.remote) && local_ports.contains(one.local_port);
            });
        if (found) return true;
    }
    return false;
}

}  // namespace blixard::os
