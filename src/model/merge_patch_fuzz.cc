// Any two texts, split at the first NUL: the merge is JSON that parses, merging it again changes
// nothing, and no selection crashes.
#include <cstdint>
#include <cstdlib>

#include "model/merge_patch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace blixard::model;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const std::size_t split = std::min(text.find('\0'), text.size());
    const std::string_view target = text.substr(0, split);
    const std::string_view patch =
        split < text.size() ? text.substr(split + 1) : std::string_view{};
    if (const auto merged = merge_patch(target, patch)) {
        const auto again = merge_patch(*merged, patch);
        if (!again || *again != *merged) std::abort();
    }
    if (const auto paths = parse_field_paths(patch)) {
        (void)select_fields(target, *paths);
        (void)select_member(target, paths->front());
    }
    return 0;
}
