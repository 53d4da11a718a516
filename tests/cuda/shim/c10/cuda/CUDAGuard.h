// Stands in for torch's header of this name: tells which device is guarded.
#pragma once

#include <c10/core/Device.h>

namespace c10::cuda {

// Of the innermost guard; "meta" where there is none.
inline Device guarded{DeviceType::Meta};

class CUDAGuard {
  public:
    explicit CUDAGuard(Device device) : before_(guarded) { guarded = device; }
    ~CUDAGuard() { guarded = before_; }
    CUDAGuard(const CUDAGuard&) = delete;

  private:
    const Device before_;
};

}  // namespace c10::cuda
