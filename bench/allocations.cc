#include "bench/allocations.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t counted = 0;  // one thread's own: counting costs an addition
}  // namespace

void* operator new(std::size_t size) {
    ++counted;
    if (void* memory = std::malloc(size)) return memory;
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace blixard::bench {

std::uint64_t allocations() { return counted; }

}  // namespace blixard::bench
