// What a file that is compiled once per instruction set may use of the standard library.
//
// Such a file, *.inl, includes everything that it needs, and no standard header: the file that
// includes it has included this one, then set its target by a pragma, and a template of the
// standard library must not be instantiated with instructions that an older processor lacks. Two
// macros are set by then: DTPINN_TARGET, the name of the namespace, and DTPINN_LANE_BYTES, the
// width of a vector register.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// For functions of headers that files of several instruction sets include: each has them in its own
// callers. Of functions that are merely inline the linker keeps the copy of one file for all. And
// for what is innermost: in a file of hundreds of kernels GCC comes to an end of what it inlines.
#define DTPINN_INLINE inline __attribute__((always_inline))
