// A warp and its equal parts, the sub-warps; the place of this thread's warp in the grid.
#pragma once

#include <cstdint>

namespace dtpinn {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

// Entries whose numbers a thread asks for before it uses the first: what a row costs is waiting.
// Said in the code, as the compiler would use each before it asks for the next.
constexpr int kAhead = 4;

__device__ inline int lane_in_warp() { return static_cast<int>(threadIdx.x) % kWarp; }

// Warps are numbered through all blocks. A block is a whole number of warps.
__device__ inline std::int64_t warp_in_grid() {
    return (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / kWarp;
}
__device__ inline std::int64_t warps_in_grid() {
    return static_cast<std::int64_t>(gridDim.x) * blockDim.x / kWarp;
}

// Adds up the lanes of each sub-warp of `width` whose numbers agree modulo `stride`; the sums come
// to its first `stride` lanes. By halves, so always in the same order. The whole warp has to call.
template <int width, int stride = 1, typename Scalar>
__device__ Scalar sum_over_subwarp(Scalar value) {
    static_assert(width <= kWarp && (width & (width - 1)) == 0, "a power of two");
    static_assert(stride <= width && (stride & (stride - 1)) == 0, "a power of two");
    for (int distance = width / 2; distance >= stride; distance /= 2) {
        value += __shfl_down_sync(kAllLanes, value, distance, width);
    }
    return value;
}

}  // namespace dtpinn
