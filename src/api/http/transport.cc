#include "api/http/transport.h"

#include <boost/asio/write.hpp>

#include "api/http/streams.h"
#include "api/http/tls.h"

namespace blixard::api::http {
namespace {

using boost::system::error_code;

// As much as a call to the kernel takes at once: fewer calls for a long list than Asio's 64 KiB.
constexpr std::size_t kWriteBytesAtOnce = 1024 * 1024;

// Asio asks after each piece how much to write next.
struct NoteProgress {
    TransportUser* user;
    std::size_t operator()(const error_code& error, std::size_t done) const {
        if (done > 0) user->on_write_progress();
        return error ? 0 : kWriteBytesAtOnce;
    }
};

template <class Stream>
class SocketTransport : public Transport,
                        public std::enable_shared_from_this<SocketTransport<Stream>> {
 public:
    template <class... Arguments>
    explicit SocketTransport(Arguments&&... arguments)
        : stream_(std::forward<Arguments>(arguments)...) {}

    void read(char* into, std::size_t size, std::shared_ptr<TransportUser> user) override {
        stream_.async_read_some(
            asio::buffer(into, size),
            [self = this->shared_from_this(), user = std::move(user)](
                error_code error, std::size_t count) { user->on_read(error ? 0 : count); });
    }

    void write(std::array<std::string_view, 2> pieces,
               std::shared_ptr<TransportUser> user) override {
        const std::array<asio::const_buffer, 2> buffers{
            asio::buffer(pieces[0].data(), pieces[0].size()),
            asio::buffer(pieces[1].data(), pieces[1].size())};
        const NoteProgress progress{user.get()};
        asio::async_write(stream_, buffers, progress,
                          [self = this->shared_from_this(), user = std::move(user)](
                              error_code error, std::size_t) { user->on_written(!error); });
    }

    void shutdown_send() override {
        error_code ignored;
        stream_.lowest_layer().shutdown(asio::socket_base::shutdown_send, ignored);
    }

    void close() override {
        error_code ignored;
        stream_.lowest_layer().close(ignored);
    }

    Principal principal() const override { return principal_; }

    std::shared_ptr<Socket> upgrade(const RequestHead& head, const Limits& limits,
                                    std::function<void()> ended) override {
        return start_websocket(std::move(stream_), head, limits, std::move(ended));
    }

 protected:
    Stream stream_;
    Principal principal_;
};

class PlainTransport final : public SocketTransport<PlainStream> {
 public:
    PlainTransport(PlainStream stream, Principal principal) : SocketTransport(std::move(stream)) {
        principal_ = std::move(principal);
    }
};

class TlsTransport final : public SocketTransport<TlsStream> {
 public:
    TlsTransport(PlainStream stream, asio::ssl::context& context)
        : SocketTransport(std::move(stream), context) {}

    void read(char* into, std::size_t size, std::shared_ptr<TransportUser> user) override {
        if (has_shaken_hands_) return SocketTransport::read(into, size, std::move(user));
        stream_.async_handshake(asio::ssl::stream_base::server,
                                [self = shared_from_this(), this, into, size,
                                 user = std::move(user)](error_code error) mutable {
                                    if (error) return user->on_read(0);
                                    has_shaken_hands_ = true;
                                    principal_ = tls_principal(stream_.native_handle());
                                    SocketTransport::read(into, size, std::move(user));
                                });
    }

 private:
    bool has_shaken_hands_ = false;
};

}  // namespace

std::shared_ptr<Transport> make_transport(PlainStream stream, Principal principal) {
    return std::make_shared<PlainTransport>(std::move(stream), std::move(principal));
}

std::shared_ptr<Transport> make_transport(PlainStream stream, asio::ssl::context& context) {
    return std::make_shared<TlsTransport>(std::move(stream), context);
}

}  // namespace blixard::api::http
