// The first bytes of a stranger's disk.
#include <cstdint>
#include <cstring>

#include "base/assert.h"
#include "images/file_kind.h"
#include "images/qcow2_header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace blixard::images;
    if (size < 8) return 0;
    std::uint64_t file_bytes = 0;
    std::memcpy(&file_bytes, data, 8);
    const std::string_view head(reinterpret_cast<const char*>(data) + 8, size - 8);
    ASSERT(!describe(file_kind(head)).empty());
    const auto header = parse_qcow2_header(head, file_bytes);
    if (!header) {
        ASSERT(!header.error().message.empty());
        return 0;
    }
    ASSERT(header->virtual_bytes > 0 && header->virtual_bytes <= kDiskBytesMax);
    ASSERT(header->cluster_bytes >= 512 && header->cluster_bytes <= 2u << 20);
    return 0;
}
