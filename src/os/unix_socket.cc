#include "os/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "os/files.h"
#include "os/system_error.h"

namespace blixard::os {
namespace {

constexpr std::size_t kFdsMax = 8;  // passed in one message
constexpr int kBacklog = 128;

int type_of(SocketKind kind) {
    return (kind == SocketKind::kStream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC |
           SOCK_NONBLOCK;
}

// The address of a path of any length; holds the directory open while it is used.
struct Address {
    sockaddr_un address{};
    UniqueFd directory;

    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

Result<Address> address_of(const std::string& path) {
    Address result;
    result.address.sun_family = AF_UNIX;
    std::string reachable = path;
    if (path.size() >= sizeof result.address.sun_path) {
        const std::string parent = parent_directory(path);
        result.directory.reset(::open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!result.directory) return fail_errno("open " + parent);
        reachable = "/proc/self/fd/" + std::to_string(result.directory.get()) +
                    path.substr(path.find_last_of('/'));
    }
    if (reachable.size() >= sizeof result.address.sun_path) {
        return fail(ErrorCode::kInvalid, "the socket name in " + path + " is too long",
                    "its last component may have about 80 bytes");
    }
    std::memcpy(result.address.sun_path, reachable.c_str(), reachable.size() + 1);
    return result;
}

}  // namespace

Result<UniqueFd> listen_unix(const std::string& path, SocketKind kind, mode_t mode) {
    ASSIGN_OR_RETURN(const Address address, address_of(path));
    struct stat found{};
    if (::lstat(path.c_str(), &found) == 0) {
        if (!S_ISSOCK(found.st_mode)) {
            return fail(ErrorCode::kExists,
                        "listen on " + path + ": a file that is no socket is there",
                        "move it away or choose another path");
        }
        ::unlink(path.c_str());
    }
    UniqueFd fd(::socket(AF_UNIX, type_of(kind), 0));
    if (!fd) return fail_errno("make a socket");
    ::fchmod(fd.get(), mode);  // before bind: the file is never wider open than `mode`
    if (::bind(fd.get(), address.get(), sizeof address.address) != 0)
        return fail_errno("bind " + path);
    if (::chmod(path.c_str(), mode) != 0) return fail_errno("set the mode of " + path);
    if (::listen(fd.get(), kBacklog) != 0) return fail_errno("listen on " + path);
    return fd;
}

Result<UniqueFd> connect_unix(const std::string& path, SocketKind kind) {
    ASSIGN_OR_RETURN(const Address address, address_of(path));
    UniqueFd fd(::socket(AF_UNIX, type_of(kind), 0));
    if (!fd) return fail_errno("make a socket");
    if (::connect(fd.get(), address.get(), sizeof address.address) != 0) {
        return fail_errno("connect to " + path);
    }
    return fd;
}

Result<UniqueFd> accept_unix(int listener) {
    UniqueFd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) return fail_errno("accept a connection");
    return fd;
}

Result<Peer> peer_of(int socket) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return fail_errno("ask who the peer is");
    }
    return Peer{credentials.pid, credentials.uid, credentials.gid};
}

Status send_message(int socket, std::string_view bytes, const std::vector<int>& fds) {
    ASSERT(fds.size() <= kFdsMax && !bytes.empty());
    if (bytes.size() > kMessageMax) {
        return fail(ErrorCode::kTooLarge,
                    "a message of " + std::to_string(bytes.size()) + " bytes");
    }
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kFdsMax * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (!fds.empty()) {
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
        std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
    }
    ssize_t put = 0;
    do put = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put >= 0) return {};
    if (errno == EAGAIN)
        return fail(ErrorCode::kUnavailable, "the peer does not read its messages");
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN) {
        return fail(ErrorCode::kUnavailable, "the peer has gone");
    }
    return fail_errno("send a message");
}

Result<SocketMessage> receive_message(int socket) {
    SocketMessage result;
    result.bytes.resize(kMessageMax);
    iovec part{result.bytes.data(), result.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(kFdsMax * sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got = 0;
    do got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && errno != ECONNRESET) return fail_errno("receive a message");
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
            result.fds.emplace_back(fd);
        }
    }
    result.closed = got <= 0;
    result.bytes.resize(got <= 0 ? 0 : static_cast<std::size_t>(got));
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return fail(ErrorCode::kTooLarge, "a message larger than " + std::to_string(kMessageMax));
    }
    return result;
}

}  // namespace blixard::os
