// A small blocking HTTP/1.1 client: one connection, kept open, no more work per request than a
// measurement can bear.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace blixard::bench {

// "/run/blixard.sock" or "127.0.0.1:8080".
struct Endpoint {
    std::string text;
    bool is_unix() const { return text.find('/') != std::string::npos; }
};

struct Answer {
    int status = 0;
    std::uint64_t body_bytes = 0;
    std::string body;  // the first kBodyKept bytes
};

// Enough for a problem document or one VM.
constexpr std::size_t kBodyKept = 64 * 1024;

std::string request_text(std::string_view method, std::string_view target,
                         std::string_view body = {}, std::string_view headers = {});

// Takes an answer apart as it comes; pure.
class AnswerReader {
 public:
    // How many of the bytes belong to this answer.
    std::size_t feed(std::string_view bytes);
    bool done() const {
        return has_head_ && (chunked_ ? chunks_end_ : answer_.body_bytes == length_);
    }
    const Answer& answer() const { return answer_; }
    void reset();

 private:
    void read_head();
    std::size_t feed_body(std::string_view bytes, std::uint64_t left);
    std::size_t feed_chunks(std::string_view bytes);

    std::string head_;
    bool has_head_ = false;
    std::uint64_t length_ = 0;
    // Where the body comes in chunks (RFC 9112, 7.1): others send so, Blixard does not.
    bool chunked_ = false, last_chunk_ = false, chunks_end_ = false;
    std::string chunk_line_;
    std::uint64_t chunk_left_ = 0;
    Answer answer_;
};

class HttpClient {
 public:
    static Result<HttpClient> connect(const Endpoint& endpoint);
    HttpClient(HttpClient&& other) noexcept;
    HttpClient& operator=(HttpClient&& other) noexcept;
    ~HttpClient();

    int fd() const { return fd_; }
    Result<Answer> ask(std::string_view request);
    Status send(std::string_view bytes);
    // What there is, at least one byte; for streams.
    Result<std::string> receive();

 private:
    explicit HttpClient(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace blixard::bench
