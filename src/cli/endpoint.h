// Where the daemon is.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::cli {

inline constexpr std::string_view kDefaultSocket = "/run/blixard/blixard.sock";
inline constexpr std::string_view kDefaultPort = "8480";

// A unix socket, or host and port.
struct Endpoint {
    std::string socket_path;
    std::string host;
    std::string port;

    bool is_unix() const { return !socket_path.empty(); }
    std::string text() const;         // for people: the path, or "host:port"
    std::string host_header() const;  // for HTTP: "localhost", or "host:port"
    bool operator==(const Endpoint&) const = default;
};

// "host", "host:port", "[::1]:8480", "http://host:port/".
Result<Endpoint> parse_host(std::string_view text);

// Options first, then BLIXARD_SOCKET and BLIXARD_HOST, then the default socket. Empty strings count
// as absent. An option beats both variables; naming a socket and a host at one level is refused.
Result<Endpoint> choose_endpoint(std::string_view socket_option, std::string_view host_option,
                                 std::string_view socket_variable, std::string_view host_variable);

}  // namespace blixard::cli
