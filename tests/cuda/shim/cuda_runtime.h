// Stands in for CUDA's header of this name: with this folder first on the include path, a C++
// compiler makes of a .cu file a program that runs its kernels on the CPU, one fiber per thread.
//
// Not here: __activemask, atomics but for one, and triple angle brackets. A kernel that wants one
// of them does not compile. Dynamic shared memory goes by DYNAMIC_SHARED.
#pragma once

// C's header too: kernels call fma, min and the like without a namespace, and fma of three floats
// has to round once, to float.
#include <math.h>

#include <algorithm>
#include <tuple>

#include "collectives.h"
#include "cuda_runtime_api.h"
#include "grid.h"

#define __host__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)

// Static, so that the __shared__ arrays in it are static too and not merged by the linker:
// AddressSanitizer watches the ends of an array only then.
#define __global__ static
// One copy for all blocks, which run one after the other. `noinit` puts it in a section of its own,
// also in a template, which `section` does not: shared_memory.cpp fills that with garbage.
#define __shared__ static __attribute__((noinit))

// `extern __shared__ T name[];` for a compiler that is not CUDA's.
#define DYNAMIC_SHARED(T, name) \
    T* const name = static_cast<T*>(cuda_on_cpu::dynamic_shared_memory())

using std::max;
using std::min;

template <typename T>
T __ldg(const T* address) {
    return *address;
}

template <typename T>
T atomicAdd(T* address, T value) {
    T before;
    __atomic_load(address, &before, __ATOMIC_RELAXED);
    for (T after = before + value; !__atomic_compare_exchange(address, &before, &after, true,
                                                              __ATOMIC_RELAXED, __ATOMIC_RELAXED);)
        after = before + value;
    return before;
}

// The parameters are copied once for the whole grid, as on a GPU.
template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(cuda_on_cpu::Launch launch, void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
    const std::tuple<Parameters...> parameters(static_cast<Arguments&&>(arguments)...);
    const auto one_thread = [&] { std::apply(kernel, parameters); };
    return cuda_on_cpu::run_grid(
        launch, [](const void* call) { (*static_cast<decltype(&one_thread)>(call))(); },
        &one_thread);
}
