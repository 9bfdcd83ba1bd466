// One connected stream socket with deadlines. Owned by one thread; closes on destruction.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "cli/endpoint.h"

namespace blixard::cli {

// A point on the process's steady clock; nothing: wait for ever.
using Deadline = std::optional<std::chrono::steady_clock::time_point>;
inline Deadline deadline_in(Millis span) {
    return std::chrono::steady_clock::now() + std::chrono::milliseconds(span.count);
}

class Wire {
 public:
    // kUnavailable where nobody answers, kDenied where the socket file may not be opened; the help
    // says what to do.
    static Result<Wire> connect(const Endpoint& endpoint, Millis timeout);
    explicit Wire(int fd) : fd_(fd) {}  // takes over a connected, non-blocking socket
    Wire(Wire&& other) noexcept;
    Wire& operator=(Wire&& other) noexcept;
    ~Wire();

    int fd() const { return fd_; }
    // All of it, or an error: kTimeout, kUnavailable (the other side has gone).
    Status write_all(std::string_view bytes, Deadline deadline);
    // At least one byte; 0 at the end of the stream.
    Result<std::size_t> read_some(char* buffer, std::size_t size, Deadline deadline);
    // Something to read (or the end) is there now.
    bool readable() const;

 private:
    Status wait(short events, Deadline deadline) const;
    int fd_;
};

}  // namespace blixard::cli
