// x86-64 with AVX-512 (F, VL, DQ). The pragma comes after every header: csrc/cpu/target.h.
#include "kernels.h"

#if defined(__x86_64__)
#pragma GCC target("avx512f,avx512vl,avx512dq,avx2,fma")
#define DTPINN_TARGET avx512
#define DTPINN_LANE_BYTES 64
#include "network_kernels.inl"
#endif
