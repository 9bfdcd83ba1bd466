// One request and its answer, free of any transport: api/http fills it from sockets, the simulation
// from its operators.
//
// Threads: everything on one executor (for HTTP: the server's own loop, which is an Executor).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace blixard::api {

// Who asks. Over the unix socket: peer credentials; over the loopback TCP port: "local"; a client
// certificate or a token later.
struct Principal {
    std::string name;    // "root", "uid:1000", ...
    bool admin = false;  // may do everything
};

struct Request {
    std::string method;  // "GET", ...; HEAD comes as GET, the transport leaves the body out
    std::string
        path;  // decoded path without query: "/v1/vms/web-1"; never contains "//", "/../" or NUL
    std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
    std::string
        body;  // complete, at most the server's limit; empty where the handler takes it as a stream
    Principal principal;
    std::string if_match;  // header values, empty where absent
    std::string if_none_match;
    std::string idempotency_key;
    std::string last_event_id;
    std::string content_type;
    std::string range;  // "bytes=…"
    std::string accept;
    std::string authorization;
    std::string request_id;  // the client's X-Request-Id, or one made for it; stands in the answer
                             // and in the log
    std::optional<std::uint64_t> content_length;

    const std::string* find_query(std::string_view name) const {
        for (const auto& [key, value] : query)
            if (key == name) return &value;
        return nullptr;
    }
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::vector<std::pair<std::string, std::string>> headers;  // ETag, Location, ...
    std::string body;
    // Where set, the body instead of `body`: shared bytes that are sent without a copy.
    std::shared_ptr<const std::string> shared_body;
    // Where set, the file is sent instead of a body (from, length); content_type and headers as
    // above.
    struct File {
        std::string path;
        std::uint64_t offset = 0;
        std::uint64_t length = 0;
    };
    std::optional<File> file;
    std::string_view route =
        {};  // "/v1/vms/{name}": a literal, for counting requests by route; empty: not known
};

// A server-sent-event stream or another endless body. The transport bounds what it buffers.
class Stream {
 public:
    virtual ~Stream() = default;
    // False: the client reads too slowly or is gone; the transport has cut it off and wants nothing
    // more.
    virtual bool write(std::string_view bytes) = 0;
    virtual void close() = 0;
    virtual void on_closed(
        std::function<void()> closed) = 0;  // called once, when the client went away or was cut off
};

// A WebSocket. Binary or text frames in, binary frames out.
class Socket {
 public:
    virtual ~Socket() = default;
    virtual bool send(std::string_view bytes) = 0;  // as Stream::write
    virtual void close(std::string_view reason) = 0;
    virtual void on_message(std::function<void(std::string_view)> message) = 0;
    virtual void on_closed(std::function<void()> closed) = 0;
};

// A request body that comes in pieces (uploads).
class BodyReader {
 public:
    virtual ~BodyReader() = default;
    virtual void on_chunk(std::string_view bytes,
                          std::function<void(Status)> next) = 0;  // next(error) answers and closes
    virtual void on_complete() = 0;
    virtual void on_abort() = 0;  // the client went away in the middle
};

// The way to answer; exactly one of its methods is called, once. May be kept and used later (long
// poll).
class Responder {
 public:
    virtual ~Responder() = default;
    virtual void send(Response response) = 0;
    virtual std::shared_ptr<Stream> start_stream(Response head) = 0;  // head.body is ignored
    virtual std::shared_ptr<Socket>
    accept_socket() = 0;            // null: the request asks for no WebSocket; then send()
    virtual bool gone() const = 0;  // the client went away: waiting makes no sense
};

// What stands behind a server.
class Service {
 public:
    virtual ~Service() = default;
    virtual void handle(Request request, std::shared_ptr<Responder> responder) = 0;
    // Where not null, the body is not collected but handed to the reader in pieces; called with the
    // head alone.
    virtual std::shared_ptr<BodyReader> open_upload(const Request& head,
                                                    std::shared_ptr<Responder> responder) = 0;
};

// RFC 9457. The one place where an Error becomes HTTP.
Response problem(const Error& error);
// The same with another status than http_status(error.code): 412 where If-Match failed, 431, 408,
// ...
Response problem(const Error& error, int status);
int http_status(ErrorCode code);

}  // namespace blixard::api
