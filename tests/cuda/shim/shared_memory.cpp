#include "shared_memory.h"

#include <sys/mman.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

// From shared_memory.ld.
extern "C" char cuda_on_cpu_shared_guard[], cuda_on_cpu_shared_begin[], cuda_on_cpu_shared_end[];

// There where AddressSanitizer is.
extern "C" [[gnu::weak]] void __asan_poison_memory_region(const volatile void* begin, std::size_t);

namespace cuda_on_cpu {
namespace {

// Ones throughout: NaN as a number, -1 as an index. By hand, for AddressSanitizer would not let
// memset write between the arrays; volatile, or the compiler would make it memset again.
void fill_with_garbage(volatile char* begin, volatile char* end) {
    for (volatile char* byte = begin; byte != end; ++byte) *byte = '\xff';
}

}  // namespace

void fresh_shared_memory() {
    char* const begin = cuda_on_cpu_shared_begin;
    const std::size_t size = static_cast<std::size_t>(cuda_on_cpu_shared_end - begin);
    if (size == 0) return;
    if (__asan_poison_memory_region)
        __asan_poison_memory_region(cuda_on_cpu_shared_guard,
                                    static_cast<std::size_t>(begin - cuda_on_cpu_shared_guard));
    // ThreadSanitizer forgets what it knew of memory that is mapped again.
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    if (mmap(begin, size, PROT_READ | PROT_WRITE, flags, -1, 0) != begin) {
        std::perror("shared memory of a simulated block");
        std::exit(1);
    }
    fill_with_garbage(begin, cuda_on_cpu_shared_end);
}

char* fresh_dynamic_shared_memory(std::size_t size) {
    char* const begin = new char[size];  // exactly: AddressSanitizer watches both ends
    fill_with_garbage(begin, begin + size);
    return begin;
}

}  // namespace cuda_on_cpu
