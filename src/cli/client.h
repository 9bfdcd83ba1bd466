// A small HTTP/1.1 client: one kept connection, streaming both ways, WebSockets. Blocking; one
// thread.
//
// Errors: kUnavailable (nobody answers; nothing has happened), kUnknownOutcome (the connection
// broke behind the request), kTimeout, kDenied (the socket file). An HTTP status of 400 and more is
// an answer, not an error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/http.h"
#include "cli/wire.h"

namespace blixard::cli {

class WebSocket;

inline constexpr Millis kConnectTimeout = seconds(5);
inline constexpr Millis kAnswerTimeout =
    seconds(30);  // for a request that does not wait for anything
inline constexpr std::size_t kBodyBytesMax = std::size_t{1} << 30;  // of a collected answer

class Client {
 public:
    explicit Client(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

    const Endpoint& endpoint() const { return endpoint_; }

    // Uses the kept connection where there is one. A GET whose kept connection turns out dead is
    // asked once more.
    Result<HttpResponse> send(const HttpRequest& request, Millis timeout = kAnswerTimeout);

    // Sends `size` bytes of the open file `fd` (from its present offset) as the body. `progress`
    // gets the bytes sent so far. The timeout counts from the last byte that moved. An early answer
    // (a refusal) ends the sending.
    Result<HttpResponse> upload(HttpRequest request, int fd, std::uint64_t size,
                                const std::function<void(std::uint64_t)>& progress);

    // Hands the body of a 2xx answer over in pieces, until it ends or the consumer says false.
    // `silence` is the longest time without any byte. The answer comes back without its body; other
    // than 2xx: with it.
    Result<HttpResponse> stream(const HttpRequest& request, Millis silence,
                                const std::function<bool(std::string_view)>& consumer);

    // Null and `refusal` filled where the daemon answers with anything but 101. A connection of its
    // own.
    Result<std::unique_ptr<WebSocket>> open_socket(const std::string& target,
                                                   HttpResponse* refusal);

 private:
    Status ensure_wire();
    Result<HttpResponse> exchange(const HttpRequest& request, Millis timeout, bool& nothing_came);
    Status read_more(ResponseParser& parser, Deadline deadline, bool* nothing_came = nullptr);
    void finish(const ResponseParser& parser);

    Endpoint endpoint_;
    std::optional<Wire> wire_;
    std::string unread_;  // bytes behind the last answer
};

}  // namespace blixard::cli
