// Unix sockets: listen, connect, who is the peer, messages with file descriptors. Paths longer than
// sun_path (107 bytes) work: they are reached through their directory's descriptor. All sockets are
// close-on-exec and non-blocking.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/unique_fd.h"

namespace blixard::os {

enum class SocketKind { kStream, kMessages };  // SOCK_STREAM, SOCK_SEQPACKET

// Replaces a socket file that is there. `mode` is the file's.
Result<UniqueFd> listen_unix(const std::string& path, SocketKind kind, mode_t mode = 0600);

// kUnavailable or kNotFound where nobody listens.
Result<UniqueFd> connect_unix(const std::string& path, SocketKind kind);

// Absent fd (kUnavailable) where nobody waits.
Result<UniqueFd> accept_unix(int listener);

struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};
Result<Peer> peer_of(int socket);

// One message of a kMessages socket. kUnavailable: the peer does not read (its queue is full) or is
// gone.
inline constexpr std::size_t kMessageMax =
    128u << 10;  // a sender's buffer must hold it whole (default 208 KiB)
struct SocketMessage {
    std::string bytes;
    std::vector<UniqueFd> fds;
    bool closed = false;  // the peer has gone; nothing else is set
};
Status send_message(int socket, std::string_view bytes, const std::vector<int>& fds = {});
Result<SocketMessage> receive_message(int socket);

}  // namespace blixard::os
