// x86-64 with AVX2 and FMA. The pragma comes after every header: csrc/cpu/target.h.
#include "kernels.h"

#if defined(__x86_64__)
#pragma GCC target("avx2,fma")
#define DTPINN_TARGET avx2
#define DTPINN_LANE_BYTES 32
#include "network_kernels.inl"
#endif
