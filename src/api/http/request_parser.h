// Bytes of one HTTP/1 request in, its head and body out. No socket inside: a test is a story told
// in bytes. (RFC 9112; the grammar is Boost.Beast's, the rules about what we take are ours.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace blixard::api::http {

// A request that is answered without asking any service; the connection ends with the answer.
struct Refusal {
    int status = 400;
    std::string message;
    std::string help;
};

// The head with the headers that we look at. Absent ones are empty.
struct RequestHead {
    std::string method;
    std::string target;  // as sent
    int version = 11;    // 10 or 11
    bool keep_alive = true;
    bool has_body = false;  // a length above 0, or chunks
    std::optional<std::uint64_t> content_length;
    bool expects_continue = false;
    bool asks_websocket = false;
    std::string host, origin, accept, accept_encoding, authorization, content_type, if_match,
        if_none_match, idempotency_key, last_event_id, range, request_id, websocket_key,
        websocket_version;
};

// Request line and headers together; a head of ours has 300 bytes, a browser's 2 KiB.
constexpr std::size_t kHeadBytesMax = 16 * 1024;

class RequestParser {
 public:
    RequestParser();
    ~RequestParser();
    RequestParser(const RequestParser&) = delete;
    RequestParser& operator=(const RequestParser&) = delete;

    void reset();  // for the next request of the connection

    // Takes what it can of `input` and returns how much that was; what it did not take must come
    // again, with more behind it. Stops behind the head, so that someone may look before the body
    // comes.
    tl::expected<std::size_t, Refusal> feed(std::string_view input);

    bool head_done() const;
    bool done() const;
    RequestHead& head();
    // The body bytes decoded since the last call.
    std::string take_body();
    std::size_t body_buffered() const;

 private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace blixard::api::http
