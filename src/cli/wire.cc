#include "cli/wire.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace blixard::cli {
namespace {

constexpr auto kStartHelp =
    "start it with: blixard daemon --data-dir DIR --socket PATH; name a running one with --socket "
    "PATH or --host HOST:PORT "
    "(or BLIXARD_SOCKET, BLIXARD_HOST); blixard doctor looks at this host";

constexpr auto kListenHelp =
    "over TCP a daemon answers where it was started with --listen ADDR:PORT, on that host alone; "
    "the unix socket is the usual way: --socket PATH (or BLIXARD_SOCKET)";

Error unreachable(const Endpoint& endpoint, int number) {
    std::string where = endpoint.text();
    if (number == EACCES)
        return {ErrorCode::kDenied,
                fmt::format("the daemon's socket {} may not be opened by this user", where),
                {},
                "run it as root, or join the group blixard: usermod -aG blixard USER, then log in "
                "again"};
    std::string why = fmt::format("no daemon answers at {}: {}", where, std::strerror(number));
    if (endpoint.is_unix() && number == ENOENT)
        why = fmt::format("no daemon runs at {}: there is no such socket", where);
    struct stat found{};
    if (endpoint.is_unix() && number == ECONNREFUSED)
        why = fmt::format("no daemon answers at {}: {}", where,
                          ::stat(where.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode)
                              ? "it is no socket"
                              : "the socket is there, the daemon behind it is gone");
    return {
        ErrorCode::kUnavailable, std::move(why), {}, endpoint.is_unix() ? kStartHelp : kListenHelp};
}

// 0, or the errno that connecting ended with.
int finish_connect(int fd, const sockaddr* address, socklen_t length, Millis timeout) {
    if (::connect(fd, address, length) == 0) return 0;
    if (errno != EINPROGRESS && errno != EAGAIN) return errno;
    pollfd ready{fd, POLLOUT, 0};
    int count = ::poll(&ready, 1, static_cast<int>(timeout.count));
    if (count == 0) return ETIMEDOUT;
    if (count < 0) return errno;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

Result<Wire> connect_unix(const Endpoint& endpoint, Millis timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (endpoint.socket_path.size() >= sizeof address.sun_path)
        return fail(ErrorCode::kInvalid,
                    fmt::format("the socket path {} is longer than {} bytes", endpoint.socket_path,
                                sizeof address.sun_path - 1));
    std::memcpy(address.sun_path, endpoint.socket_path.data(), endpoint.socket_path.size());
    Wire wire(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (wire.fd() < 0) return fail(unreachable(endpoint, errno));
    int error =
        finish_connect(wire.fd(), reinterpret_cast<sockaddr*>(&address), sizeof address, timeout);
    if (error != 0) return fail(unreachable(endpoint, error));
    return wire;
}

Result<Wire> connect_tcp(const Endpoint& endpoint, Millis timeout) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    int code = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &found);
    if (code != 0)
        return fail(
            ErrorCode::kUnavailable,
            fmt::format("the host {} is not known: {}", endpoint.host, ::gai_strerror(code)),
            "look at --host or BLIXARD_HOST");
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
    int error = ECONNREFUSED;
    for (addrinfo* a = addresses.get(); a; a = a->ai_next) {
        Wire wire(
            ::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol));
        if (wire.fd() < 0) continue;
        error = finish_connect(wire.fd(), a->ai_addr, a->ai_addrlen, timeout);
        if (error != 0) continue;
        int on = 1;
        ::setsockopt(wire.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return wire;
    }
    return fail(unreachable(endpoint, error));
}

}  // namespace

Result<Wire> Wire::connect(const Endpoint& endpoint, Millis timeout) {
    return endpoint.is_unix() ? connect_unix(endpoint, timeout) : connect_tcp(endpoint, timeout);
}

Wire::Wire(Wire&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Wire& Wire::operator=(Wire&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

Wire::~Wire() {
    if (fd_ >= 0) ::close(fd_);
}

Status Wire::wait(short events, Deadline deadline) const {
    while (true) {
        int wait_ms = -1;
        if (deadline) {
            auto left = std::chrono::ceil<std::chrono::milliseconds>(
                *deadline - std::chrono::steady_clock::now());
            wait_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000'000));
        }
        pollfd ready{fd_, events, 0};
        int count = ::poll(&ready, 1, wait_ms);
        if (count > 0) return {};
        if (count == 0) return fail(ErrorCode::kTimeout, "the daemon did not answer in time");
        if (errno != EINTR)
            return fail(ErrorCode::kInternal, fmt::format("poll: {}", std::strerror(errno)));
    }
}

Status Wire::write_all(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
        ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        } else if (errno == EAGAIN) {
            RETURN_IF_ERROR(wait(POLLOUT, deadline));
        } else if (errno != EINTR) {
            return fail(
                ErrorCode::kUnavailable,
                fmt::format("the connection to the daemon broke: {}", std::strerror(errno)));
        }
    }
    return {};
}

Result<std::size_t> Wire::read_some(char* buffer, std::size_t size, Deadline deadline) {
    while (true) {
        ssize_t got = ::recv(fd_, buffer, size, 0);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno == EAGAIN) {
            RETURN_IF_ERROR(wait(POLLIN, deadline));
        } else if (errno != EINTR) {
            return fail(
                ErrorCode::kUnavailable,
                fmt::format("the connection to the daemon broke: {}", std::strerror(errno)));
        }
    }
}

bool Wire::readable() const {
    pollfd ready{fd_, POLLIN, 0};
    return ::poll(&ready, 1, 0) > 0;
}

}  // namespace blixard::cli
