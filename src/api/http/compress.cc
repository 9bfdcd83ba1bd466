#include "api/http/compress.h"

#include <brotli/encode.h>
#include <zlib.h>

#include <algorithm>

#include "base/assert.h"

namespace blixard::api::http {
namespace {

constexpr int kGzipLevel = 1;
constexpr int kBrotliQuality = 1;
constexpr int kGzipWindow = 15 + 16;  // 32 KiB window, gzip framing (zlib.h, deflateInit2)

std::string gzip(std::string_view body) {
    z_stream stream{};
    ASSERT(deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) ==
           Z_OK);
    std::string out(deflateBound(&stream, body.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
    stream.avail_in = static_cast<uInt>(body.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string brotli(std::string_view body) {
    std::size_t size = BrotliEncoderMaxCompressedSize(body.size());
    std::string out(size, '\0');
    ASSERT(BrotliEncoderCompress(kBrotliQuality, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT,
                                 body.size(), reinterpret_cast<const std::uint8_t*>(body.data()),
                                 &size, reinterpret_cast<std::uint8_t*>(out.data())));
    out.resize(size);
    return out;
}

}  // namespace

std::string compress(Encoding encoding, std::string_view body) {
    switch (encoding) {
        case Encoding::kGzip: return gzip(body);
        case Encoding::kBrotli: return brotli(body);
        case Encoding::kIdentity: break;
    }
    return std::string(body);
}

std::shared_ptr<const std::string> CompressedBodies::find(
    const std::shared_ptr<const std::string>& plain, Encoding encoding) const {
    for (const Entry& entry : entries_)
        if (entry.encoding == encoding && entry.plain.lock() == plain) return entry.compressed;
    return nullptr;
}

void CompressedBodies::keep(const std::shared_ptr<const std::string>& plain, Encoding encoding,
                            std::shared_ptr<const std::string> compressed) {
    std::erase_if(entries_, [](const Entry& entry) { return entry.plain.expired(); });
    if (entries_.size() == kEntriesMax) entries_.erase(entries_.begin());
    entries_.push_back({plain, encoding, std::move(compressed)});
}

}  // namespace blixard::api::http
