// Any bytes, cut anywhere, must give messages or an error, never a crash, and memory stays bounded.
#include "hypervisor/qemu/qmp_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using blixard::hypervisor::QmpReader;
    std::string_view bytes(reinterpret_cast<const char*>(data), size);
    QmpReader whole, pieces;
    const auto all = whole.feed(bytes);
    std::size_t count = 0;
    bool failed = false;
    while (!bytes.empty()) {
        const std::size_t step =
            std::min<std::size_t>(bytes.size(), 1 + static_cast<unsigned char>(bytes[0]) % 7);
        const auto some = pieces.feed(bytes.substr(0, step));
        if (!some) {
            failed = true;
            break;
        }
        count += some->size();
        bytes.remove_prefix(step);
    }
    if (all.has_value() == failed) __builtin_trap();
    if (all && all->size() != count) __builtin_trap();
    return 0;
}
