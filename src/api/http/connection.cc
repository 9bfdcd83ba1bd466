// Requests in: from bytes to a call of the service. The answers are in connection_answer.cc,
// endless ones in connection_stream.cc.
#include "api/http/connection.h"

#include <fmt/format.h>
#include <unistd.h>

#include "api/http/exchange_responder.h"
#include "api/http/target.h"

namespace blixard::api::http {
namespace {

// A head and a little of what follows it.
constexpr std::size_t kInputBytesHead = kHeadBytesMax + 1024;
// One piece of a body: large enough that an upload costs few calls, small enough for thousands of
// connections.
constexpr std::size_t kInputBytesBody = 128 * 1024;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

bool may_upload(std::string_view method) {
    return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

Connection::Connection(ConnectionHost& host, std::shared_ptr<Transport> transport, Way way,
                       std::uint64_t id)
    : host_(host), transport_(std::move(transport)), way_(way), id_(id) {}

Connection::~Connection() {
    if (file_ >= 0) ::close(file_);
}

void Connection::start() {
    set_deadline(host_.limits().head);
    read_more(kInputBytesHead);
}

void Connection::set_deadline(Millis from_now) {
    deadline_us_ = host_.now_us() + from_now.count * 1000;
}

void Connection::check_deadline(std::int64_t now_us) {
    if (deadline_us_ == 0 || now_us < deadline_us_) return;
    if (state_ == State::kHead && head_begun_)
        return refuse({408, "the head of the request did not come to its end in time",
                       "send the whole request"});
    if (state_ == State::kBody)
        return refuse({408, "the body of the request stopped coming before its end",
                       "send as many bytes as Content-Length says"});
    if (state_ == State::kStream && !stream_ended_) {
        stream_cut_off();
        return set_deadline(host_.limits().linger);
    }
    close();
}

void Connection::close() {
    if (state_ == State::kClosed) return;
    const auto keep_alive = shared_from_this();
    state_ = State::kClosed;
    deadline_us_ = 0;
    if (const auto exchange = exchange_.lock()) exchange->disown();
    if (auto upload = std::exchange(upload_, nullptr)) upload->on_abort();
    if (auto stream = std::exchange(stream_, nullptr)) stream->ended();
    if (auto socket = std::exchange(socket_, nullptr)) socket->close("the server ends");
    // Someone may keep this object (a reader with a piece in its hands) for longer than the server
    // lives.
    std::exchange(transport_, nullptr)->close();
    host_.forget(*this);
}

void Connection::read_more(std::size_t max) {
    if (reading_ || peer_ended_ || !transport_) return;
    const std::size_t room = input_.make_room(max);
    if (room == 0) return;
    reading_ = true;
    transport_->read(input_.room(), room, self());
}

void Connection::on_read(std::size_t bytes) {
    reading_ = false;
    if (state_ == State::kClosed) return;
    if (bytes == 0) return peer_ended();
    if (state_ == State::kLinger || state_ == State::kStream) {
        // Nothing that comes now has a meaning.
        input_.consume(input_.bytes().size());
        return read_more(kInputBytesHead);
    }
    input_.received(bytes);
    advance();
}

void Connection::peer_ended() {
    peer_ended_ = true;
    switch (state_) {
        case State::kHead:
            if (!input_.empty())
                return refuse({400, "the request ended in the middle of its head", {}});
            return close();
        case State::kBody:
            return refuse({400, "the request ended in the middle of its body",
                           "send as many bytes as Content-Length says"});
        case State::kStream:
        case State::kLinger: return close();
        // It may still read: some clients close their sending side behind a request.
        case State::kContinue:
        case State::kHandling:
        case State::kWriting:
        case State::kSocket:
        case State::kClosed: return;
    }
}

void Connection::advance() {
    for (;;) {
        const bool goes_on = state_ == State::kHead   ? read_head()
                             : state_ == State::kBody ? read_body()
                                                      : false;
        if (!goes_on) return;
    }
}

bool Connection::read_head() {
    if (input_.empty()) {
        if (peer_ended_)
            close();
        else
            read_more(kInputBytesHead);
        return false;
    }
    if (!head_begun_) {
        head_begun_ = true;
        set_deadline(host_.limits().head);
        if (parser_)
            parser_->reset();
        else
            parser_ = std::make_unique<RequestParser>();
    }
    const auto taken = parser_->feed(input_.bytes());
    if (!taken) {
        refuse(taken.error());
        return false;
    }
    input_.consume(*taken);
    if (parser_->head_done()) return begin_request();
    if (peer_ended_)
        refuse({400, "the request ended in the middle of its head", {}});
    else
        read_more(kInputBytesHead);
    return false;
}

// Only what needs no service; the path is looked at on the way.
std::optional<Refusal> Connection::look_at_head(const RequestHead& head) {
    if (way_ == Way::kLocal && !is_loopback_host(head.host))
        return Refusal{
            403,
            fmt::format("the Host \"{}\" is no name of this machine's loopback address", head.host),
            "use http://localhost or http://127.0.0.1"};
    if (way_ != Way::kUnix && !is_same_origin(head.origin, head.host))
        return Refusal{403,
                       fmt::format("a page of \"{}\" may not send requests to here", head.origin),
                       "open the page from the address of this daemon"};
    auto target = parse_target(head.target);
    if (!target)
        return Refusal{400, std::move(target.error().message), std::move(target.error().help)};
    request_.path = std::move(target->path);
    request_.query = std::move(target->query);
    return std::nullopt;
}

void Connection::fill_request(RequestHead& head) {
    is_head_request_ = head.method == "HEAD";
    http_1_0_ = head.version == 10;
    close_after_ = !head.keep_alive;
    encoding_ = negotiate_encoding(head.accept_encoding);
    request_id_ =
        is_request_id(head.request_id) ? std::move(head.request_id) : host_.next_request_id();
    request_.principal = transport_->principal();
    log_method_ = head.method;
    log_path_ = request_.path;
    log_principal_ = request_.principal.name;
    request_.method = is_head_request_ ? "GET" : std::move(head.method);
    request_.if_match = std::move(head.if_match);
    request_.if_none_match = std::move(head.if_none_match);
    request_.idempotency_key = std::move(head.idempotency_key);
    request_.last_event_id = std::move(head.last_event_id);
    request_.content_type = std::move(head.content_type);
    request_.range = std::move(head.range);
    request_.accept = std::move(head.accept);
    request_.authorization = std::move(head.authorization);
    request_.content_length = head.content_length;
    request_.request_id = request_id_;
}

bool Connection::begin_request() {
    RequestHead& head = parser_->head();
    deadline_us_ = 0;
    begun_us_ = host_.now_us();
    request_ = Request{};
    auto refusal = look_at_head(head);
    body_unread_ = head.has_body;
    fill_request(head);
    if (refusal) {
        refuse(*refusal);
        return false;
    }
    const auto exchange = std::make_shared<Exchange>(weak_from_this());
    exchange_ = exchange;
    state_ = State::kBody;
    if (may_upload(request_.method)) upload_ = host_.service().open_upload(request_, exchange);
    if (exchange->answered() || state_ == State::kClosed) return false;
    // The service's reader holds the exchange now, or dispatch() makes another.
    if (!upload_) exchange->disown();
    return begin_body(head);
}

bool Connection::begin_body(const RequestHead& head) {
    if (!upload_ && head.content_length.value_or(0) > host_.limits().body_bytes) {
        refuse({413,
                fmt::format("the body has {} bytes; {} are taken at most", *head.content_length,
                            host_.limits().body_bytes),
                "a document is never that large; bytes of an image go to /v1/blobs"});
        return false;
    }
    set_deadline(host_.limits().body_progress);
    if (!head.has_body || !head.expects_continue || !input_.empty() || http_1_0_) return true;
    state_ = State::kContinue;
    transport_->write({kContinue, {}}, self());
    return false;
}

bool Connection::read_body() {
    if (upload_waits_) return false;
    if (!parser_->done()) {
        if (!input_.empty()) {
            const auto taken = parser_->feed(input_.bytes());
            if (!taken) {
                refuse(taken.error());
                return false;
            }
            input_.consume(*taken);
        }
        if (!take_body_bytes()) return false;
    }
    if (!parser_->done()) {
        if (peer_ended_)
            peer_ended();
        else
            read_more(kInputBytesBody);
        return false;
    }
    body_unread_ = false;
    deadline_us_ = 0;
    state_ = State::kHandling;
    // A local: the reader may answer at once, and the connection may end with it.
    if (auto upload = std::exchange(upload_, nullptr))
        upload->on_complete();
    else
        dispatch();
    watch_for_close();
    return state_ == State::kHead;
}

// False: refused, or the reader has to take a piece first.
bool Connection::take_body_bytes() {
    if (parser_->body_buffered() == 0) return true;
    set_deadline(host_.limits().body_progress);
    if (upload_) return deliver_to_upload(parser_->take_body());
    request_.body += parser_->take_body();
    if (request_.body.size() <= host_.limits().body_bytes) return true;
    refuse({413,
            fmt::format("the body is larger than the {} bytes that are taken at most",
                        host_.limits().body_bytes),
            "a document is never that large; bytes of an image go to /v1/blobs"});
    return false;
}

bool Connection::deliver_to_upload(std::string bytes) {
    upload_piece_ = std::move(bytes);
    upload_waits_ = true;
    deadline_us_ = 0;  // the time of our disk is not the client's
    upload_delivering_ = true;
    const auto upload = upload_;
    upload->on_chunk(upload_piece_, [self = shared_from_this()](Status status) {
        self->upload_taken(std::move(status));
    });
    upload_delivering_ = false;
    return state_ == State::kBody && !upload_waits_;
}

void Connection::upload_taken(Status status) {
    if (!upload_waits_) return;
    upload_waits_ = false;
    if (state_ != State::kBody) return;
    if (!status) {
        upload_ = nullptr;
        if (const auto exchange = exchange_.lock()) exchange->disown();
        return respond(problem(status.error()));
    }
    set_deadline(host_.limits().body_progress);
    if (!upload_delivering_) advance();
}

void Connection::dispatch() {
    const auto exchange = std::make_shared<Exchange>(weak_from_this());
    exchange_ = exchange;
    try {
        host_.service().handle(std::move(request_), exchange);
    } catch (const std::exception& failure) {
        host_.log().error("http.exception", {{"path", log_path_}, {"what", failure.what()}});
    }
}

// A client that goes away ends a long poll. (A WebSocket takes the transport as it is, so nothing
// may be pending on it.)
void Connection::watch_for_close() {
    if (state_ == State::kHandling && !parser_->head().asks_websocket) read_more(kInputBytesHead);
}

}  // namespace blixard::api::http
