#include "cli/client.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/websocket.h"

namespace blixard::cli {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kUploadPieceBytes = 256 * 1024;

// A break behind the request: it may have happened.
Error as_unknown(Error error, const HttpRequest& request) {
    bool asks_only = request.method == "GET" || request.method == "HEAD";
    if (error.code == ErrorCode::kUnavailable && !asks_only)
        error.code = ErrorCode::kUnknownOutcome;
    return error;
}

}  // namespace

Status Client::ensure_wire() {
    if (wire_ && wire_->readable())
        wire_.reset();  // an idle connection with news is one that was closed
    if (wire_) return {};
    unread_.clear();
    ASSIGN_OR_RETURN(Wire wire, Wire::connect(endpoint_, kConnectTimeout));
    wire_.emplace(std::move(wire));
    return {};
}

Status Client::read_more(ResponseParser& parser, Deadline deadline, bool* nothing_came) {
    if (unread_.empty()) {
        std::string buffer(kReadBytes, '\0');
        ASSIGN_OR_RETURN(std::size_t count,
                         wire_->read_some(buffer.data(), buffer.size(), deadline));
        if (count == 0) return parser.end();
        if (nothing_came) *nothing_came = false;
        buffer.resize(count);
        unread_ = std::move(buffer);
    }
    ASSIGN_OR_RETURN(std::size_t used, parser.feed(unread_));
    unread_.erase(0, used);
    if (parser.response().body.size() > kBodyBytesMax)
        return fail(ErrorCode::kTooLarge, "the daemon's answer is larger than 1 GiB");
    return {};
}

void Client::finish(const ResponseParser& parser) {
    if (!parser.keeps_alive() || !unread_.empty()) wire_.reset();
}

Result<HttpResponse> Client::exchange(const HttpRequest& request, Millis timeout,
                                      bool& nothing_came) {
    Deadline deadline = deadline_in(timeout);
    std::string head = request_head(request, endpoint_.host_header(), request.body.size());
    // A refusal may be waiting although the body could not be sent: look for the answer in any
    // case.
    Status sent = wire_->write_all(head + request.body, deadline);
    ResponseParser parser(request.method == "HEAD");
    while (!parser.done()) {
        Status read = read_more(parser, deadline, &nothing_came);
        if (!read) {
            wire_.reset();
            return fail(sent ? as_unknown(read.error(), request) : sent.error());
        }
    }
    finish(parser);
    return std::move(parser.response());
}

Result<HttpResponse> Client::send(const HttpRequest& request, Millis timeout) {
    bool kept = wire_.has_value();
    RETURN_IF_ERROR(ensure_wire());
    bool nothing_came = true;
    auto response = exchange(request, timeout, nothing_came);
    bool once_more = !response && kept && nothing_came && request.method == "GET" &&
                     response.error().code != ErrorCode::kTimeout;
    if (!once_more) return response;
    RETURN_IF_ERROR(ensure_wire());
    return exchange(request, timeout, nothing_came);
}

Result<HttpResponse> Client::upload(HttpRequest request, int fd, std::uint64_t size,
                                    const std::function<void(std::uint64_t)>& progress) {
    RETURN_IF_ERROR(ensure_wire());
    RETURN_IF_ERROR(wire_->write_all(request_head(request, endpoint_.host_header(), size),
                                     deadline_in(kAnswerTimeout)));
    std::string piece(kUploadPieceBytes, '\0');
    std::uint64_t sent = 0;
    while (sent < size && !wire_->readable()) {
        std::size_t want =
            static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size - sent));
        ssize_t got = ::read(fd, piece.data(), want);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            wire_.reset();
            return fail(ErrorCode::kInternal, got == 0 ? "the file became shorter while it was read"
                                                       : fmt::format("the file cannot be read: {}",
                                                                     std::strerror(errno)));
        }
        Status status =
            wire_->write_all(std::string_view(piece).substr(0, static_cast<std::size_t>(got)),
                             deadline_in(kAnswerTimeout));
        if (!status) break;  // the answer says why, where there is one
        sent += static_cast<std::uint64_t>(got);
        if (progress) progress(sent);
    }
    ResponseParser parser(false);
    while (!parser.done()) {
        // The daemon checks what it got before it answers: a big image takes its time.
        if (Status read = read_more(parser, deadline_in(kAnswerTimeout * 10)); !read) {
            wire_.reset();
            return fail(as_unknown(read.error(), request));
        }
    }
    if (sent < size)
        wire_.reset();
    else
        finish(parser);
    return std::move(parser.response());
}

Result<HttpResponse> Client::stream(const HttpRequest& request, Millis silence,
                                    const std::function<bool(std::string_view)>& consumer) {
    RETURN_IF_ERROR(ensure_wire());
    RETURN_IF_ERROR(wire_->write_all(
        request_head(request, endpoint_.host_header(), request.body.size()) + request.body,
        deadline_in(kAnswerTimeout)));
    ResponseParser parser(false);
    HttpResponse& response = parser.response();
    while (!parser.done()) {
        if (Status read = read_more(parser, deadline_in(silence)); !read) {
            wire_.reset();
            return fail(read.error());
        }
        if (!parser.head_complete() || !response.ok() || response.body.empty()) continue;
        std::string piece = std::move(response.body);
        response.body.clear();
        if (!consumer(piece)) {
            wire_.reset();
            return std::move(response);
        }
    }
    finish(parser);
    return std::move(response);
}

Result<std::unique_ptr<WebSocket>> Client::open_socket(const std::string& target,
                                                       HttpResponse* refusal) {
    ASSIGN_OR_RETURN(Wire wire, Wire::connect(endpoint_, kConnectTimeout));
    std::string key = websocket_key();
    HttpRequest request{"GET",
                        target,
                        {{"Connection", "Upgrade"},
                         {"Upgrade", "websocket"},
                         {"Sec-WebSocket-Version", "13"},
                         {"Sec-WebSocket-Key", key}},
                        {}};
    Deadline deadline = deadline_in(kAnswerTimeout);
    RETURN_IF_ERROR(wire.write_all(request_head(request, endpoint_.host_header(), 0), deadline));
    ResponseParser parser(false);
    std::string rest;
    while (!parser.done()) {
        char buffer[4096];
        ASSIGN_OR_RETURN(std::size_t count, wire.read_some(buffer, sizeof buffer, deadline));
        if (count == 0) {
            RETURN_IF_ERROR(parser.end());
            continue;
        }
        std::string_view bytes(buffer, count);
        ASSIGN_OR_RETURN(std::size_t used, parser.feed(bytes));
        rest = std::string(bytes.substr(used));
    }
    if (parser.response().status != 101) {
        *refusal = std::move(parser.response());
        return std::unique_ptr<WebSocket>{};
    }
    if (parser.response().header("Sec-WebSocket-Accept") != websocket_accept(key))
        return fail(ErrorCode::kInternal,
                    "the daemon's WebSocket answer belongs to another question");
    return std::make_unique<WebSocket>(std::move(wire), std::move(rest));
}

}  // namespace blixard::cli
