// Endless answers: server-sent events with a bounded buffer, and WebSockets.
#include <fmt/format.h>

#include "api/http/connection.h"
#include "api/http/exchange_responder.h"

namespace blixard::api::http {
namespace {

// Five thousand idle streams keep no buffer that one of them once needed.
constexpr std::size_t kBufferBytesKept = 4 * 1024;

constexpr std::string_view kLastChunk = "0\r\n\r\n";

constexpr std::string_view kCutOff =
    "event: error\ndata: {\"code\":\"exhausted\",\"detail\":\"this reader is too slow: more than "
    "the bound of unread events "
    "waited for it\",\"help\":\"connect again with Last-Event-ID; nothing is lost\"}\n\n";

bool is_event_stream(const Response& head) {
    return head.content_type.starts_with("text/event-stream");
}

}  // namespace

std::shared_ptr<Stream> Connection::start_stream(Response head) {
    if (state_ == State::kClosed) return nullptr;
    if (is_head_request_) {
        head.body.clear();
        head.shared_body = nullptr;
        respond(std::move(head));
        return nullptr;
    }
    response_ = std::move(head);
    response_.body.clear();
    if (!http_1_0_) response_.headers.emplace_back("Transfer-Encoding", "chunked");
    close_after_ = true;
    write_head(std::nullopt);
    observe(0);
    state_ = State::kStream;
    request_ = Request{};
    parser_ = nullptr;
    stream_ = std::make_shared<EventStream>(weak_from_this());
    stream_pending_ = std::exchange(head_bytes_, {});
    stream_flush();
    if (!reading_) input_.release();
    read_more(1);
    return stream_;
}

void Connection::append_chunk(std::string_view bytes) {
    if (http_1_0_) {
        stream_pending_ += bytes;
        return;
    }
    fmt::format_to(std::back_inserter(stream_pending_), "{:x}\r\n", bytes.size());
    stream_pending_ += bytes;
    stream_pending_ += "\r\n";
}

bool Connection::stream_write(std::string_view bytes) {
    if (state_ != State::kStream || stream_ended_) return false;
    if (bytes.empty()) return true;
    if (stream_pending_.size() + bytes.size() > host_.limits().stream_bytes) {
        stream_cut_off();
        return false;
    }
    append_chunk(bytes);
    stream_flush();
    return true;
}

void Connection::stream_flush() {
    if (stream_writing_ || state_ != State::kStream) return;
    if (stream_pending_.empty()) {
        if (stream_in_flight_.capacity() > kBufferBytesKept) stream_in_flight_ = {};
        if (stream_pending_.capacity() > kBufferBytesKept) stream_pending_ = {};
        if (stream_ended_) begin_linger();
        return;
    }
    std::swap(stream_in_flight_, stream_pending_);
    stream_pending_.clear();
    stream_writing_ = true;
    set_deadline(host_.limits().write_progress);
    transport_->write({stream_in_flight_, {}}, self());
}

void Connection::stream_end() {
    if (state_ != State::kStream || stream_ended_) return;
    stream_ended_ = true;
    stream_ = nullptr;
    if (!http_1_0_) stream_pending_ += kLastChunk;
    stream_flush();
}

// What is in flight goes out whole; what waited behind it is dropped, and the reader is told why.
void Connection::stream_cut_off() {
    stream_ended_ = true;
    stream_pending_ = {};
    if (is_event_stream(response_)) {
        append_chunk(kCutOff);
        if (!http_1_0_) stream_pending_ += kLastChunk;
    }
    host_.observer().stream_cut_off();
    // Later: whoever writes to it may be walking over its list of streams.
    if (auto stream = std::exchange(stream_, nullptr)) host_.post([stream] { stream->ended(); });
    stream_flush();
}

std::shared_ptr<Socket> Connection::accept_socket() {
    if (state_ != State::kHandling || !parser_ || !parser_->head().asks_websocket) return nullptr;
    if (reading_ || !input_.empty() || is_head_request_) return nullptr;
    state_ = State::kSocket;
    deadline_us_ = 0;
    response_ = Response{};
    response_.status = 101;
    observe(0);
    socket_ = transport_->upgrade(parser_->head(), host_.limits(), [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->socket_ = nullptr;
        self->close();
    });
    parser_ = nullptr;
    input_.release();
    return socket_;
}

}  // namespace blixard::api::http
