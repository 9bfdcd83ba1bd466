#include "bench/api/http_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace blixard::bench {
namespace {

constexpr std::size_t kReceiveBytes = 256 * 1024;

auto failed(const std::string& what) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: {}", what, strerror(errno)));
}

int open_unix(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

int open_tcp(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(text.c_str() + colon + 1)));
    ::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    ::close(fd);
    return -1;
}

// Each thread measures with a buffer of its own.
std::string& receive_buffer() {
    thread_local std::string buffer(kReceiveBytes, '\0');
    return buffer;
}

}  // namespace

std::string request_text(std::string_view method, std::string_view target, std::string_view body,
                         std::string_view headers) {
    std::string text =
        fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}", method, target, headers);
    if (!body.empty())
        text +=
            fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
    else if (method != "GET")
        text += "Content-Length: 0\r\n";
    text += "\r\n";
    text += body;
    return text;
}

void AnswerReader::reset() {
    head_.clear();
    has_head_ = chunked_ = chunks_end_ = last_chunk_ = false;
    length_ = chunk_left_ = 0;
    chunk_line_.clear();
    answer_ = Answer{};
}

std::size_t AnswerReader::feed(std::string_view bytes) {
    std::size_t taken = 0;
    if (!has_head_) {
        const std::size_t before = head_.size();
        head_ += bytes;
        const std::size_t end = head_.find("\r\n\r\n", before > 3 ? before - 3 : 0);
        if (end == head_.npos) return bytes.size();
        taken = end + 4 - before;
        head_.resize(end + 2);
        read_head();
    }
    const std::string_view rest = bytes.substr(taken);
    return taken + (chunked_ ? feed_chunks(rest) : feed_body(rest, length_ - answer_.body_bytes));
}

// At most `left` bytes of the body.
std::size_t AnswerReader::feed_body(std::string_view bytes, std::uint64_t left) {
    bytes = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), left)));
    if (answer_.body.size() < kBodyKept)
        answer_.body += bytes.substr(0, kBodyKept - answer_.body.size());
    answer_.body_bytes += bytes.size();
    return bytes.size();
}

// Each chunk: its size in hexadecimal, a line's end, the bytes, a line's end; the last one is
// empty.
std::size_t AnswerReader::feed_chunks(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size() && !chunks_end_) {
        if (chunk_left_ > 0) {
            const std::size_t part = feed_body(bytes.substr(taken), chunk_left_);
            chunk_left_ -= part;
            taken += part;
            continue;
        }
        const char c = bytes[taken++];
        if (c != '\n') {
            chunk_line_ += c;
            continue;
        }
        const bool between = chunk_line_ == "\r";  // the end of the chunk before, or of all
        if (!between) chunk_left_ = std::strtoull(chunk_line_.c_str(), nullptr, 16);
        chunks_end_ = between && last_chunk_;
        last_chunk_ = !between && chunk_left_ == 0;
        chunk_line_.clear();
    }
    return taken;
}

void AnswerReader::read_head() {
    has_head_ = true;
    answer_.status = head_.size() > 12 ? std::atoi(head_.c_str() + 9) : 0;
    constexpr std::string_view kLength = "\r\ncontent-length:";
    constexpr std::string_view kChunked = "\r\ntransfer-encoding: chunked";
    for (std::size_t at = head_.find("\r\n"); at != head_.npos && at + 2 < head_.size();
         at = head_.find("\r\n", at + 2)) {
        if (strncasecmp(head_.c_str() + at, kLength.data(), kLength.size()) == 0)
            length_ = std::strtoull(head_.c_str() + at + kLength.size(), nullptr, 10);
        if (strncasecmp(head_.c_str() + at, kChunked.data(), kChunked.size()) == 0) chunked_ = true;
    }
}

Result<HttpClient> HttpClient::connect(const Endpoint& endpoint) {
    const int fd = endpoint.is_unix() ? open_unix(endpoint.text) : open_tcp(endpoint.text);
    if (fd < 0) return failed("cannot connect to " + endpoint.text);
    return HttpClient(fd);
}

HttpClient::HttpClient(HttpClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
HttpClient& HttpClient::operator=(HttpClient&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}
HttpClient::~HttpClient() {
    if (fd_ >= 0) ::close(fd_);
}

Status HttpClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("send");
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

Result<std::string> HttpClient::receive() {
    std::string& buffer = receive_buffer();
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count < 0) return failed("receive");
    if (count == 0) return fail(ErrorCode::kUnavailable, "the daemon closed the connection");
    return buffer.substr(0, static_cast<std::size_t>(count));
}

Result<Answer> HttpClient::ask(std::string_view request) {
    RETURN_IF_ERROR(send(request));
    AnswerReader reader;
    std::string& buffer = receive_buffer();
    while (!reader.done()) {
        const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("receive");
        if (count == 0)
            return fail(ErrorCode::kUnavailable,
                        "the daemon closed the connection in the middle of an answer");
        reader.feed({buffer.data(), static_cast<std::size_t>(count)});
    }
    return reader.answer();
}

}  // namespace blixard::bench
