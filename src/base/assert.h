// ASSERT: what cannot happen. On in release: a wrong control plane must stop, not go on.
#pragma once

namespace blixard {
[[noreturn]] void assert_failed(const char* condition, const char* file, int line);
}  // namespace blixard

#define ASSERT(condition)                                             \
    do {                                                              \
        if (!(condition)) [[unlikely]]                                \
            ::blixard::assert_failed(#condition, __FILE__, __LINE__); \
    } while (0)
