// The client's side of a WebSocket (RFC 6455). FrameReader and encode_frame are pure; WebSocket
// owns its connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/wire.h"

namespace blixard::cli {

enum class Opcode : std::uint8_t {
    kContinuation = 0,
    kText = 1,
    kBinary = 2,
    kClose = 8,
    kPing = 9,
    kPong = 10
};

struct Frame {
    Opcode opcode = Opcode::kBinary;
    bool final = true;
    std::string payload;

    bool operator==(const Frame&) const = default;
};

// Masked, as every frame of a client is (section 5.3).
std::string encode_frame(Opcode opcode, std::string_view payload, std::uint32_t mask);

class FrameReader {
 public:
    static constexpr std::uint64_t kPayloadBytesMax = 16 * 1024 * 1024;
    void feed(std::string_view bytes) { buffer_ += bytes; }
    // The next complete frame; nothing: more bytes are needed. Masked frames are legal to read, for
    // the sake of tests.
    Result<std::optional<Frame>> next();

 private:
    std::string buffer_;
};

std::string websocket_key();                         // 16 random bytes in base64
std::string websocket_accept(std::string_view key);  // what the server must answer (section 4.2.2)

class WebSocket {
 public:
    WebSocket(Wire wire, std::string first_bytes) : wire_(std::move(wire)) {
        reader_.feed(first_bytes);
    }

    int fd() const { return wire_.fd(); }
    Status send(std::string_view payload);
    // Reads what is there (waiting no longer than `deadline`) and appends the payloads to `out`;
    // pings are answered. False: the other side has closed; close_reason() says why.
    Result<bool> receive(std::string& out, Deadline deadline);
    // What the frames that are already here hold.
    Result<bool> drain(std::string& out);
    void close();
    const std::string& close_reason() const { return close_reason_; }

 private:
    Status send_frame(Opcode opcode, std::string_view payload);
    Wire wire_;
    FrameReader reader_;
    std::string close_reason_;
};

}  // namespace blixard::cli
