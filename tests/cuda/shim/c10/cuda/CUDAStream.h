// Stands in for torch's header of this name: each device has a current stream of its own.
#pragma once

#include <cuda_runtime_api.h>

#include "CUDAGuard.h"

namespace c10::cuda {

// Of the device on which the tests' tensors are. Nobody looks at what is there.
inline cudaStream_t expected_stream() {
    static int somewhere;
    return reinterpret_cast<cudaStream_t>(&somewhere);
}

class CUDAStream {
  public:
    explicit CUDAStream(cudaStream_t stream) : stream_(stream) {}
    cudaStream_t stream() const { return stream_; }

  private:
    const cudaStream_t stream_;
};

inline CUDAStream getCurrentCUDAStream() {
    return CUDAStream(guarded == Device(DeviceType::CPU) ? expected_stream() : nullptr);
}

}  // namespace c10::cuda
