// Stands in for torch's header of this name, which a torch without CUDA cannot use.
#pragma once

#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>

// What a launch returns becomes an exception; torch's own text says more.
#define C10_CUDA_CHECK(call)                                                               \
    do {                                                                                   \
        const cudaError_t returned = (call);                                               \
        TORCH_CHECK(returned == cudaSuccess, "CUDA error: ", static_cast<long>(returned)); \
    } while (0)
