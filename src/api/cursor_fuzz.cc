// Whatever a client sends as a cursor is refused, or is exactly what we would have given it.
#include <cstddef>
#include <cstdint>

#include "api/cursor.h"
#include "base/assert.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto kind = static_cast<blixard::api::Kind>(data[0] % 7);
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    const auto key = blixard::api::decode_cursor(kind, text);
    if (key) ASSERT(blixard::api::encode_cursor(kind, *key) == text);
    const auto again = blixard::api::decode_cursor(kind, blixard::api::encode_cursor(kind, text));
    if (again) ASSERT(*again == text);
    return 0;
}
