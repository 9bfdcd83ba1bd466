// One connection's bytes: a plain socket (unix or TCP) or TLS on it. Everything on the server's
// loop.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string_view>

#include "api/exchange.h"
#include "api/http/request_parser.h"
#include "api/http/server.h"

namespace blixard::api::http {

class TransportUser {
 public:
    virtual ~TransportUser() = default;
    virtual void on_read(
        std::size_t bytes) = 0;  // 0: the other side has ended its direction, or an error
    virtual void on_write_progress() = 0;
    virtual void on_written(bool ok) = 0;
};

// At most one read and one write at a time. The user is kept alive until the operation has ended.
class Transport {
 public:
    virtual ~Transport() = default;
    virtual void read(char* into, std::size_t size, std::shared_ptr<TransportUser> user) = 0;
    virtual void write(std::array<std::string_view, 2> pieces,
                       std::shared_ptr<TransportUser> user) = 0;
    virtual void shutdown_send() = 0;         // after the last write
    virtual void close() = 0;                 // pending operations end
    virtual Principal principal() const = 0;  // after the first read
    // No read or write may be pending; the transport is an empty shell afterwards. `ended` is
    // called once, when the socket is gone.
    virtual std::shared_ptr<Socket> upgrade(const RequestHead& head, const Limits& limits,
                                            std::function<void()> ended) = 0;
};

}  // namespace blixard::api::http
