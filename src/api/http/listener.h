// Listening sockets, and who has connected to one. System calls only; the server waits on them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "api/exchange.h"
#include "base/result.h"

namespace blixard::api::http {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    ~Descriptor();
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;

    int get() const { return fd_; }
    int release() {
        const int fd = fd_;
        fd_ = -1;
        return fd;
    }

 private:
    int fd_ = -1;
};

// A stale socket file is replaced; one that a living process listens on is refused.
Result<Descriptor> open_unix_listener(const std::string& path, unsigned mode,
                                      const std::string& group);
// `address` is a literal IPv4 or IPv6 address, or "localhost".
Result<Descriptor> open_tcp_listener(const std::string& address, std::uint16_t port);
Result<std::uint16_t> bound_port(const Descriptor& listener);
bool is_loopback_address(const std::string& address);

// -1 where the group does not exist.
gid_t find_group(const std::string& name);

// Root, whoever runs this process, and the members of `admin_group` are admins; others are only
// known ("uid:1000").
Principal unix_peer(int connection, gid_t admin_group);

// The soft limit of open files becomes the hard one; returns it.
std::uint64_t raise_file_limit();

}  // namespace blixard::api::http
