// Every processor: SSE2 on x86-64, NEON on AArch64.
#include "kernels.h"

#define DTPINN_TARGET baseline
#define DTPINN_LANE_BYTES 16
#include "network_kernels.inl"
