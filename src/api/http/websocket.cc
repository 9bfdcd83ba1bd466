// WebSockets (RFC 6455) by Boost.Beast, one session per upgraded connection.
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "api/http/streams.h"

namespace blixard::api::http {
namespace {

namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using UpgradeRequest = beast::http::request<beast::http::empty_body>;

// A console that nobody types into stays open as long as its browser answers pings.
constexpr auto kIdle = std::chrono::seconds(60);
constexpr auto kHandshake = std::chrono::seconds(10);

UpgradeRequest upgrade_request(const RequestHead& head) {
    UpgradeRequest request(beast::http::verb::get, head.target, 11);
    request.set(beast::http::field::host, head.host);
    request.set(beast::http::field::connection, "upgrade");
    request.set(beast::http::field::upgrade, "websocket");
    request.set(beast::http::field::sec_websocket_key, head.websocket_key);
    request.set(beast::http::field::sec_websocket_version, head.websocket_version);
    return request;
}

// What a SocketHandle speaks to, whatever the stream below.
class SessionBase {
 public:
    virtual ~SessionBase() = default;
    virtual bool send(std::string_view bytes) = 0;
    virtual void close(std::string_view reason) = 0;
    std::function<void(std::string_view)> message;
    std::function<void()> closed;
};

// Lives as long as its pending operations.
template <class Stream>
class Session final : public SessionBase, public std::enable_shared_from_this<Session<Stream>> {
 public:
    Session(Stream stream, const RequestHead& head, const Limits& limits,
            std::function<void()> ended)
        : socket_(std::move(stream)),
          request_(upgrade_request(head)),
          limits_(limits),
          ended_(std::move(ended)) {
        socket_.set_option(websocket::stream_base::timeout{kHandshake, kIdle, true});
        socket_.read_message_max(limits.socket_message_bytes);
        socket_.auto_fragment(false);
        socket_.binary(true);
    }

    void start() {
        socket_.async_accept(request_, [self = this->shared_from_this()](error_code error) {
            if (error) return self->finish();
            self->is_open_ = true;
            self->read();
            self->flush();
        });
    }

    // Console output has no frames of its own: what waits goes out as one.
    bool send(std::string_view bytes) override {
        if (is_finished_ || is_closing_) return false;
        if (pending_.size() + bytes.size() > limits_.stream_bytes) {
            close("this reader is too slow");
            return false;
        }
        pending_ += bytes;
        flush();
        return true;
    }

    void close(std::string_view reason) override {
        if (is_finished_ || is_closing_) return;
        is_closing_ = true;
        reason_.assign(
            reason.substr(0, 100));  // RFC 6455 section 5.5: a control frame has at most 125 bytes
        flush();
    }

 private:
    void read() {
        socket_.async_read(
            buffer_, [self = this->shared_from_this()](error_code error, std::size_t) {
                if (error) return self->finish();
                const auto data = self->buffer_.cdata();
                if (self->message && !self->is_closing_)
                    self->message({static_cast<const char*>(data.data()), data.size()});
                self->buffer_.consume(self->buffer_.size());
                self->read();
            });
    }

    void flush() {
        if (!is_open_ || is_writing_ || is_finished_) return;
        if (pending_.empty()) {
            if (is_closing_) shut();
            return;
        }
        std::swap(in_flight_, pending_);
        pending_.clear();
        is_writing_ = true;
        socket_.async_write(asio::buffer(in_flight_),
                            [self = this->shared_from_this()](error_code error, std::size_t) {
                                self->is_writing_ = false;
                                if (error) return self->finish();
                                self->flush();
                            });
    }

    void shut() {
        is_writing_ = true;
        const websocket::close_reason reason(websocket::close_code::normal, reason_);
        socket_.async_close(reason,
                            [self = this->shared_from_this()](error_code) { self->finish(); });
    }

    void finish() {
        if (is_finished_) return;
        is_finished_ = true;
        error_code ignored;
        beast::get_lowest_layer(socket_).close(ignored);
        message = nullptr;
        if (auto ended = std::exchange(ended_, nullptr)) ended();
        if (auto tell = std::exchange(closed, nullptr)) tell();
    }

    websocket::stream<Stream, false> socket_;  // without compression: a console is a trickle
    UpgradeRequest request_;
    const Limits limits_;
    std::function<void()> ended_;
    beast::flat_buffer buffer_;
    std::string pending_, in_flight_, reason_;
    bool is_open_ = false, is_writing_ = false, is_closing_ = false, is_finished_ = false;
};

// What the service holds; it may outlive the session and the server.
class SocketHandle final : public Socket {
 public:
    explicit SocketHandle(std::weak_ptr<SessionBase> session) : session_(std::move(session)) {}

    bool send(std::string_view bytes) override {
        const auto session = session_.lock();
        return session && session->send(bytes);
    }
    void close(std::string_view reason) override {
        if (const auto session = session_.lock()) session->close(reason);
    }
    void on_message(std::function<void(std::string_view)> message) override {
        if (const auto session = session_.lock()) session->message = std::move(message);
    }
    void on_closed(std::function<void()> closed) override {
        if (const auto session = session_.lock())
            session->closed = std::move(closed);
        else if (closed)
            closed();
    }

 private:
    std::weak_ptr<SessionBase> session_;
};

template <class Stream>
std::shared_ptr<Socket> start(Stream stream, const RequestHead& head, const Limits& limits,
                              std::function<void()> ended) {
    const auto session =
        std::make_shared<Session<Stream>>(std::move(stream), head, limits, std::move(ended));
    session->start();
    return std::make_shared<SocketHandle>(session);
}

}  // namespace

std::shared_ptr<Socket> start_websocket(PlainStream stream, const RequestHead& head,
                                        const Limits& limits, std::function<void()> ended) {
    return start(std::move(stream), head, limits, std::move(ended));
}

std::shared_ptr<Socket> start_websocket(TlsStream stream, const RequestHead& head,
                                        const Limits& limits, std::function<void()> ended) {
    return start(std::move(stream), head, limits, std::move(ended));
}

}  // namespace blixard::api::http
