#include "cli/websocket.h"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cstring>

namespace blixard::cli {
namespace {

constexpr Millis kSendTimeout = seconds(30);

// SHA-1 (RFC 3174), for the handshake alone: there it proves attention, not identity.
std::array<std::uint8_t, 20> sha1(std::string_view text) {
    std::array<std::uint32_t, 5> h{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    std::string data(text);
    data += '\x80';
    while (data.size() % 64 != 56) data += '\0';
    std::uint64_t bits = text.size() * 8;
    for (int shift = 56; shift >= 0; shift -= 8) data += static_cast<char>(bits >> shift);
    for (std::size_t block = 0; block < data.size(); block += 64) {
        std::array<std::uint32_t, 80> w{};
        for (std::size_t i = 0; i < 64; ++i)
            w[i / 4] = (w[i / 4] << 8) | static_cast<std::uint8_t>(data[block + i]);
        for (std::size_t i = 16; i < 80; ++i)
            w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        auto [a, b, c, d, e] = h;
        for (std::size_t i = 0; i < 80; ++i) {
            std::uint32_t f = 0, k = 0;
            if (i < 20)
                f = (b & c) | (~b & d), k = 0x5A827999;
            else if (i < 40)
                f = b ^ c ^ d, k = 0x6ED9EBA1;
            else if (i < 60)
                f = (b & c) | (b & d) | (c & d), k = 0x8F1BBCDC;
            else
                f = b ^ c ^ d, k = 0xCA62C1D6;
            std::uint32_t next = std::rotl(a, 5) + f + e + k + w[i];
            e = d, d = c, c = std::rotl(b, 30), b = a, a = next;
        }
        h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
    }
    std::array<std::uint8_t, 20> digest{};
    for (std::size_t i = 0; i < 20; ++i)
        digest[i] = static_cast<std::uint8_t>(h[i / 4] >> (24 - 8 * (i % 4)));
    return digest;
}

std::string base64(const std::uint8_t* bytes, std::size_t size) {
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < size; i += 3) {
        std::uint32_t group = bytes[i] << 16;
        if (i + 1 < size) group |= bytes[i + 1] << 8;
        if (i + 2 < size) group |= bytes[i + 2];
        out += kDigits[group >> 18 & 63];
        out += kDigits[group >> 12 & 63];
        out += i + 1 < size ? kDigits[group >> 6 & 63] : '=';
        out += i + 2 < size ? kDigits[group & 63] : '=';
    }
    return out;
}

template <class Bytes>
void fill_random(Bytes& bytes) {
    // Up to 256 bytes come complete or not at all (getrandom(2)); a mask of zeros is legal too.
    [[maybe_unused]] ssize_t got = ::getrandom(&bytes, sizeof bytes, 0);
}

}  // namespace

std::string websocket_key() {
    std::array<std::uint8_t, 16> random{};
    fill_random(random);
    return base64(random.data(), random.size());
}

std::string websocket_accept(std::string_view key) {
    auto digest = sha1(std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    return base64(digest.data(), digest.size());
}

std::string encode_frame(Opcode opcode, std::string_view payload, std::uint32_t mask) {
    std::string out;
    out += static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode));
    std::uint64_t size = payload.size();
    int length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
    out += static_cast<char>(0x80 | (length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127));
    for (int i = length_bytes - 1; i >= 0; --i) out += static_cast<char>(size >> (8 * i));
    std::array<char, 4> key{static_cast<char>(mask >> 24), static_cast<char>(mask >> 16),
                            static_cast<char>(mask >> 8), static_cast<char>(mask)};
    out.append(key.data(), key.size());
    for (std::size_t i = 0; i < payload.size(); ++i)
        out += static_cast<char>(payload[i] ^ key[i % 4]);
    return out;
}

Result<std::optional<Frame>> FrameReader::next() {
    if (buffer_.size() < 2) return std::nullopt;
    auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(buffer_[at]); };
    std::uint64_t size = byte(1) & 0x7f;
    std::size_t at = 2;
    std::size_t length_bytes = size == 126 ? 2 : size == 127 ? 8 : 0;
    bool masked = (byte(1) & 0x80) != 0;
    if (buffer_.size() < at + length_bytes + (masked ? 4 : 0)) return std::nullopt;
    if (length_bytes > 0) size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte(at++);
    if (size > kPayloadBytesMax)
        return fail(ErrorCode::kTooLarge, "a WebSocket frame of more than 16 MiB");
    if ((byte(0) & 0x70) != 0)
        return fail(ErrorCode::kInternal, "a WebSocket frame with unknown flags");
    std::size_t key = at;
    if (masked) at += 4;
    if (buffer_.size() < at + size) return std::nullopt;
    Frame frame{static_cast<Opcode>(byte(0) & 0x0f), (byte(0) & 0x80) != 0,
                buffer_.substr(at, size)};
    if (masked)
        for (std::size_t i = 0; i < size; ++i) frame.payload[i] ^= buffer_[key + i % 4];
    buffer_.erase(0, at + size);
    return frame;
}

Status WebSocket::send_frame(Opcode opcode, std::string_view payload) {
    std::uint32_t mask = 0;
    fill_random(mask);
    return wire_.write_all(encode_frame(opcode, payload, mask), deadline_in(kSendTimeout));
}

Status WebSocket::send(std::string_view payload) { return send_frame(Opcode::kBinary, payload); }

void WebSocket::close() {
    // Politeness; a connection that is gone cannot be told.
    [[maybe_unused]] Status told = send_frame(Opcode::kClose, std::string_view("\x03\xe8", 2));
}

Result<bool> WebSocket::drain(std::string& out) {
    while (true) {
        ASSIGN_OR_RETURN(std::optional<Frame> frame, reader_.next());
        if (!frame) return true;
        switch (frame->opcode) {
            case Opcode::kContinuation:
            case Opcode::kText:
            case Opcode::kBinary: out += frame->payload; break;
            case Opcode::kPing: RETURN_IF_ERROR(send_frame(Opcode::kPong, frame->payload)); break;
            case Opcode::kPong: break;
            case Opcode::kClose:
                if (frame->payload.size() > 2) close_reason_ = frame->payload.substr(2);
                close();
                return false;
            default: return fail(ErrorCode::kInternal, "a WebSocket frame of an unknown kind");
        }
    }
}

Result<bool> WebSocket::receive(std::string& out, Deadline deadline) {
    char buffer[16 * 1024];
    ASSIGN_OR_RETURN(std::size_t count, wire_.read_some(buffer, sizeof buffer, deadline));
    if (count == 0) return false;
    reader_.feed(std::string_view(buffer, count));
    return drain(out);
}

}  // namespace blixard::cli
