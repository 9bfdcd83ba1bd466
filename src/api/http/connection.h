// One client connection: reads requests one after the other, has the service answer each, writes
// the answers in order. A state machine on the server's loop; the bytes come from a Transport, so a
// test needs no socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/exchange.h"
#include "api/http/compress.h"
#include "api/http/input_buffer.h"
#include "api/http/request_parser.h"
#include "api/http/server.h"
#include "api/http/transport.h"

namespace blixard::api::http {

class Connection;
class Exchange;
class EventStream;

// What every connection gets from its server.
class ConnectionHost {
 public:
    virtual ~ConnectionHost() = default;
    virtual Service& service() = 0;
    virtual const Limits& limits() const = 0;
    virtual Observer& observer() = 0;
    virtual Log& log() = 0;
    virtual std::int64_t now_us() const = 0;  // monotonic
    virtual const std::string& date() = 0;    // for the Date header
    virtual std::string next_request_id() = 0;
    virtual CompressedBodies& compressed_bodies() = 0;
    virtual void post(std::function<void()> task) = 0;
    // `work` on the helper thread, then `done` on the loop.
    virtual void offload(std::function<void()> work, std::function<void()> done) = 0;
    virtual void forget(Connection& connection) = 0;  // it is closed
};

class Connection final : public TransportUser, public std::enable_shared_from_this<Connection> {
 public:
    // kLocal: plain TCP on a loopback address, where the browser of this machine is to be
    // mistrusted.
    enum class Way : std::uint8_t { kUnix, kLocal, kTls };

    Connection(ConnectionHost& host, std::shared_ptr<Transport> transport, Way way,
               std::uint64_t id);
    ~Connection() override;

    std::uint64_t id() const { return id_; }
    void start();
    void check_deadline(std::int64_t now_us);  // now and then, by the server
    void close();                              // at once

    void on_read(std::size_t bytes) override;
    void on_write_progress() override;
    void on_written(bool ok) override;

 private:
    friend class Exchange;
    friend class EventStream;

    enum class State : std::uint8_t {
        kHead,      // waiting for a request
        kContinue,  // writing "100 Continue"
        kBody,      // reading a body
        kHandling,  // the service has it
        kWriting,   // the answer goes out
        kStream,    // an endless answer goes out
        kSocket,    // a WebSocket now
        kLinger,    // answered and done; reading what still comes, so that the answer is not lost
        kClosed,
    };

    // Reading.
    void read_more(std::size_t max);
    void advance();
    bool read_head();  // the following: true where advance() goes on, false where something is
                       // waited for
    bool read_body();
    bool begin_request();
    std::optional<Refusal> look_at_head(const RequestHead& head);
    void fill_request(RequestHead& head);
    bool begin_body(const RequestHead& head);
    bool take_body_bytes();
    bool deliver_to_upload(std::string bytes);
    void upload_taken(Status status);
    void dispatch();
    void watch_for_close();
    void peer_ended();

    // Answering; each but refuse() called by the Exchange.
    void refuse(const Refusal& refusal);
    void respond(Response response);
    std::shared_ptr<Stream> start_stream(Response head);
    std::shared_ptr<Socket> accept_socket();
    void open_file();
    bool is_compressible() const;
    void compress_then_write();
    void send_compressed(std::shared_ptr<const std::string> compressed);
    void write_response();
    std::string_view body_bytes() const;
    void write_head(std::optional<std::uint64_t> content_length);
    void write_file_piece();
    void finished();
    void observe(std::uint64_t body_bytes);
    void begin_linger();

    // The endless answer.
    bool stream_write(std::string_view bytes);
    void stream_flush();
    void stream_end();
    void stream_cut_off();
    void append_chunk(std::string_view bytes);

    void set_deadline(Millis from_now);
    std::shared_ptr<TransportUser> self() { return shared_from_this(); }

    ConnectionHost& host_;
    std::shared_ptr<Transport> transport_;
    const Way way_;
    const std::uint64_t id_;

    State state_ = State::kHead;
    bool reading_ = false;
    bool peer_ended_ = false;
    bool head_begun_ = false;
    std::int64_t deadline_us_ = 0;  // 0: none
    InputBuffer input_;
    std::unique_ptr<RequestParser> parser_;

    // The request at hand.
    Request request_;
    Encoding encoding_ = Encoding::kIdentity;
    bool is_head_request_ = false;
    bool body_unread_ = false;  // the answer came before the end of the body
    bool close_after_ = false;
    bool http_1_0_ = false;
    std::int64_t begun_us_ = 0;
    std::weak_ptr<Exchange> exchange_;
    std::string log_method_, log_path_, log_principal_, request_id_;

    // An upload.
    std::shared_ptr<BodyReader> upload_;
    std::string upload_piece_;
    bool upload_waits_ = false;       // the reader has not called next() yet
    bool upload_delivering_ = false;  // inside on_chunk()

    // The answer at hand.
    Response response_;
    std::string head_bytes_;
    int file_ = -1;
    std::uint64_t file_sent_ = 0;
    std::string file_piece_;

    // The endless answer at hand.
    std::shared_ptr<EventStream> stream_;
    std::string stream_pending_, stream_in_flight_;
    bool stream_writing_ = false, stream_ended_ = false;

    std::shared_ptr<Socket> socket_;
};

}  // namespace blixard::api::http
