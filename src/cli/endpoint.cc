#include "cli/endpoint.h"

#include <fmt/format.h>

#include "cli/units.h"

namespace blixard::cli {

std::string Endpoint::text() const { return is_unix() ? socket_path : host_header(); }

std::string Endpoint::host_header() const {
    if (is_unix()) return "localhost";
    bool v6 = host.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Result<Endpoint> parse_host(std::string_view text) {
    auto refused = [&](std::string_view why) {
        return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no host: {}", text, why),
                    "write it as HOST:PORT, [IPV6]:PORT or http://HOST:PORT");
    };
    std::string_view rest = text;
    if (rest.starts_with("https://"))
        return refused("this command speaks plain HTTP to a loopback address or the unix socket");
    if (rest.starts_with("http://")) rest.remove_prefix(7);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    Endpoint endpoint;
    endpoint.port = std::string(kDefaultPort);
    std::size_t colon = rest.rfind(':');
    if (rest.starts_with('[')) {
        std::size_t close = rest.find(']');
        if (close == std::string_view::npos) return refused("the bracket is not closed");
        endpoint.host = std::string(rest.substr(1, close - 1));
        rest.remove_prefix(close + 1);
        if (!rest.empty() && !rest.starts_with(':'))
            return refused("a port comes after the bracket");
        colon = rest.empty() ? std::string_view::npos : 0;
    } else {
        endpoint.host = std::string(rest.substr(0, colon));
        if (endpoint.host.find(':') != std::string::npos)
            return refused("an IPv6 address stands in brackets");
    }
    if (endpoint.host.empty()) return refused("the name is empty");
    for (unsigned char c : endpoint.host)
        if (c <= 0x20 || c == 0x7f || c == '/' || c == '@' || c == '?' || c == '#')
            return refused("only a name or an address and a port");
    if (colon != std::string_view::npos) {
        endpoint.port = std::string(rest.substr(colon + 1));
        if (!parse_integer(endpoint.port, 1, 65535))
            return refused("the port is no number from 1 to 65535");
    }
    return endpoint;
}

Result<Endpoint> choose_endpoint(std::string_view socket_option, std::string_view host_option,
                                 std::string_view socket_variable, std::string_view host_variable) {
    if (!socket_option.empty() && !host_option.empty())
        return fail(ErrorCode::kInvalid, "--socket and --host name two daemons",
                    "give one of them");
    if (!socket_option.empty()) return Endpoint{std::string(socket_option), {}, {}};
    if (!host_option.empty()) return parse_host(host_option);
    if (!socket_variable.empty() && !host_variable.empty())
        return fail(ErrorCode::kInvalid, "BLIXARD_SOCKET and BLIXARD_HOST name two daemons",
                    "unset one of them, or say --socket or --host");
    if (!socket_variable.empty()) return Endpoint{std::string(socket_variable), {}, {}};
    if (!host_variable.empty()) return parse_host(host_variable);
    return Endpoint{std::string(kDefaultSocket), {}, {}};
}

}  // namespace blixard::cli
