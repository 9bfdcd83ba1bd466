#include "recorder/record.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstring>
#include <optional>

#include "recorder/codec.h"

namespace blixard::recorder {
namespace {

constexpr std::size_t kHeadBytes = 10;  // type, length, checksum, and a check of these

std::uint32_t checksum(std::string_view bytes) {
    return static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

void append_u32(std::uint32_t number, std::string& out) {
    for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift);
}

std::uint32_t read_u32(std::string_view bytes) {
    std::uint32_t number = 0;
    for (int i = 3; i >= 0; --i)
        number = number << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return number;
}

char head_check(std::string_view head) {
    char check = static_cast<char>(0xa5);
    for (const char byte : head.substr(0, kHeadBytes - 1)) check = static_cast<char>(check ^ byte);
    return check;
}

struct Found {
    Block type;
    std::string_view payload;
    bool good;
    std::size_t size;  // of the whole block
};

// Absent: the bytes end before the block does.
std::optional<Found> next_block(std::string_view bytes) {
    if (bytes.size() < kHeadBytes) return std::nullopt;
    const std::size_t length = read_u32(bytes.substr(1));
    if (head_check(bytes) != bytes[kHeadBytes - 1])
        return Found{static_cast<Block>(bytes[0]), {}, false, kHeadBytes};
    if (bytes.size() - kHeadBytes < length) return std::nullopt;
    const std::string_view payload = bytes.substr(kHeadBytes, length);
    return Found{static_cast<Block>(bytes[0]), payload,
                 checksum(payload) == read_u32(bytes.substr(5)), kHeadBytes + length};
}

tl::unexpected<Error> damaged(std::size_t at) {
    return fail(
        ErrorCode::kInvalid,
        fmt::format("the record is damaged at byte {}: nothing behind it can be trusted", at),
        "export it again: blixard debug record");
}

}  // namespace

std::string block(Block type, std::string_view payload) {
    std::string out;
    out.reserve(kHeadBytes + payload.size());
    out += static_cast<char>(type);
    append_u32(static_cast<std::uint32_t>(payload.size()), out);
    append_u32(checksum(payload), out);
    out += head_check(out);
    out += payload;
    return out;
}

std::string segment_head(std::uint64_t number, const std::string& run) {
    std::string payload;
    write(payload, number, run);
    return std::string(kMagic) + block(Block::kSegment, payload);
}

Result<Record> parse_record(std::string_view bytes) {
    if (!bytes.starts_with(kMagic)) {
        constexpr std::string_view kName = "blixard-record ";
        const auto format = [&](std::string_view text) {
            return text.substr(kName.size(), text.find('\n') - kName.size());
        };
        if (bytes.starts_with(kName))
            return fail(ErrorCode::kInvalid,
                        fmt::format("the record is of format {}; this build reads format {}",
                                    format(bytes), format(kMagic)),
                        "replay it with the build that made it");
        return fail(ErrorCode::kInvalid, "this is no record of Blixard",
                    "make one with: blixard debug record FILE");
    }
    Record record;
    for (std::size_t at = 0; at < bytes.size();) {
        if (bytes.substr(at).starts_with(kMagic)) {  // one log behind the other
            at += kMagic.size();
            continue;
        }
        const std::optional<Found> found = next_block(bytes.substr(at));
        if (!found) {
            record.torn_bytes = bytes.size() - at;
            break;
        }
        if (!found->good) return damaged(at);
        Reader reader(found->payload);
        switch (found->type) {
            case Block::kSegment: {
                Segment& segment = record.segments.emplace_back();
                pack(reader, segment.number, segment.run);
                if (!reader.ok()) return damaged(at);
                break;
            }
            case Block::kCheckpoint:
            case Block::kEntries:
                if (record.segments.empty()) return damaged(at);
                if (found->type == Block::kCheckpoint)
                    record.segments.back().checkpoint = found->payload;
                else
                    record.segments.back().entries += found->payload;
                break;
            default: return damaged(at);
        }
        at += found->size;
    }
    return record;
}

std::string joined_segment(std::string_view log, std::string_view state) {
    if (!log.starts_with(kMagic)) return {};
    const std::optional<Found> head = next_block(log.substr(kMagic.size()));
    if (!head || !head->good || head->type != Block::kSegment) return {};
    const std::size_t head_bytes = kMagic.size() + head->size;
    std::string joined(log.substr(0, head_bytes));
    joined += state.substr(0, whole_bytes(state));
    joined += log.substr(head_bytes, whole_bytes(log) - head_bytes);
    return joined;
}

std::size_t whole_bytes(std::string_view bytes) {
    std::size_t at = bytes.starts_with(kMagic) ? kMagic.size() : 0;
    while (at < bytes.size()) {
        const std::optional<Found> found = next_block(bytes.substr(at));
        if (!found || !found->good) break;
        at += found->size;
    }
    return at;
}

}  // namespace blixard::recorder
