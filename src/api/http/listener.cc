#include "api/http/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace blixard::api::http {
namespace {

constexpr int kBacklog = 4096;  // the kernel's own bound (net.core.somaxconn); a burst of clients
                                // waits rather than fails

auto os_failure(const std::string& what) {
    const int error = errno;
    const ErrorCode code =
        error == EACCES || error == EPERM ? ErrorCode::kDenied : ErrorCode::kUnavailable;
    return fail(code, fmt::format("{}: {}", what, strerror(error)));
}

Result<sockaddr_un> unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        return fail(ErrorCode::kInvalid,
                    fmt::format("the socket path \"{}\" has {} bytes; the kernel takes 1 to {}",
                                path, path.size(), sizeof address.sun_path - 1),
                    "give a shorter path with --socket");
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

Status remove_stale(const std::string& path, const sockaddr_un& address) {
    struct stat facts{};
    if (::lstat(path.c_str(), &facts) != 0) return {};
    if (!S_ISSOCK(facts.st_mode))
        return fail(ErrorCode::kExists, fmt::format("{} exists and is no socket", path),
                    "remove it or give another --socket");
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return fail(ErrorCode::kExists, fmt::format("another process listens on {}", path),
                    "stop that daemon, or give this one another --socket and --data-dir");
    if (errno != ECONNREFUSED) return os_failure(fmt::format("{} is in use", path));
    ::unlink(path.c_str());
    return {};
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Result<Address> parse_address(std::string text, std::uint16_t port) {
    if (text == "localhost") text = "127.0.0.1";
    if (text.starts_with("[") && text.ends_with("]")) text = text.substr(1, text.size() - 2);
    Address address;
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        address.size = sizeof *v4;
        return address;
    }
    if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        address.size = sizeof *v6;
        return address;
    }
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is no IPv4 or IPv6 address", text),
                "write --listen 127.0.0.1:8080");
}

bool is_member(int connection, gid_t primary, gid_t group) {
    if (group == static_cast<gid_t>(-1)) return false;
    if (primary == group) return true;
    socklen_t size = 0;
    ::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size);  // ERANGE, and the size
    std::vector<gid_t> groups(size / sizeof(gid_t));
    if (groups.empty() ||
        ::getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0)
        return false;
    return std::find(groups.begin(), groups.end(), group) != groups.end();
}

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (fd_ >= 0 && fd_ != other.fd_) ::close(fd_);
    fd_ = other.release();
    return *this;
}

Result<Descriptor> open_unix_listener(const std::string& path, unsigned mode,
                                      const std::string& group) {
    ASSIGN_OR_RETURN(const sockaddr_un address, unix_address(path));
    RETURN_IF_ERROR(remove_stale(path, address));
    Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (listener.get() < 0 ||
        ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return os_failure(fmt::format("cannot create the socket {}", path));
    // Nobody can connect before listen(), so the mode is in force from the first moment.
    if (::chmod(path.c_str(), mode) != 0)
        return os_failure(fmt::format("cannot set the mode of {}", path));
    if (const gid_t gid = find_group(group);
        gid != static_cast<gid_t>(-1) && ::chown(path.c_str(), -1, gid) != 0)
        return os_failure(fmt::format("cannot give {} to the group {}", path, group));
    if (::listen(listener.get(), kBacklog) != 0)
        return os_failure(fmt::format("cannot listen on {}", path));
    return listener;
}

Result<Descriptor> open_tcp_listener(const std::string& text, std::uint16_t port) {
    ASSIGN_OR_RETURN(const Address address, parse_address(text, port));
    Descriptor listener(
        ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int on = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (address.storage.ss_family == AF_INET6)
        ::setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) !=
            0 ||
        ::listen(listener.get(), kBacklog) != 0)
        return errno == EADDRINUSE
                   ? fail(
                         ErrorCode::kUnavailable,
                         fmt::format("cannot listen on {}:{}: another program does", text, port),
                         fmt::format("see which: ss -ltnp sport = :{}; or take another port", port))
                   : os_failure(fmt::format("cannot listen on {}:{}", text, port));
    return listener;
}

Result<std::uint16_t> bound_port(const Descriptor& listener) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0)
        return os_failure("getsockname");
    // The port stands at the same place in both families.
    return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

bool is_loopback_address(const std::string& text) {
    const auto address = parse_address(text, 0);
    if (!address) return false;
    if (address->storage.ss_family == AF_INET)
        return ntohl(reinterpret_cast<const sockaddr_in*>(&address->storage)->sin_addr.s_addr) >>
                   24 ==
               127;
    return IN6_IS_ADDR_LOOPBACK(
        &reinterpret_cast<const sockaddr_in6*>(&address->storage)->sin6_addr);
}

gid_t find_group(const std::string& name) {
    group entry{};
    group* found = nullptr;
    std::vector<char> room(16 * 1024);
    if (name.empty() || ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 ||
        !found)
        return static_cast<gid_t>(-1);
    return entry.gr_gid;
}

Principal unix_peer(int connection, gid_t admin_group) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return {"unknown", false};
    if (peer.uid == 0) return {"root", true};
    const bool admin = peer.uid == ::geteuid() || is_member(connection, peer.gid, admin_group);
    return {fmt::format("uid:{}", peer.uid), admin};
}

std::uint64_t raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;  // what Linux gives where nobody asks
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : before;
}

}  // namespace blixard::api::http
