// y = A x for one vector: a sub-warp of threads per row, so that neighbouring threads read
// neighbouring entries.
#pragma once

#include "../csr/view.h"
#include "warp.cuh"

namespace dtpinn {

// Entry e of A has the value values[perm[e]], or values[e] where perm is null.
template <int threads_per_row, typename Scalar, typename Index>
__global__ void csr_product_vector(CsrView<Scalar, Index> A, const Index* __restrict__ perm,
                                   const Scalar* __restrict__ x, Scalar* __restrict__ y) {
    constexpr int rows_per_warp = kWarp / threads_per_row;
    const int part = lane_in_warp() % threads_per_row;
    const std::int64_t step = warps_in_grid() * rows_per_warp;
    // The loop is the whole warp's, also past the last row: every lane takes part in the sum.
    for (std::int64_t first = warp_in_grid() * rows_per_warp; first < A.rows; first += step) {
        const std::int64_t row = first + lane_in_warp() / threads_per_row;
        Scalar sum = 0;
        if (row < A.rows) {
            const std::int64_t begin = A.crow[row], stop = A.crow[row + 1];  // wide before the sums
            for (std::int64_t e = begin + part; e < stop; e += kAhead * threads_per_row) {
                Scalar values[kAhead], operands[kAhead];
                Index columns[kAhead];
#pragma unroll
                for (int i = 0; i < kAhead; ++i) {
                    const std::int64_t next = e + i * threads_per_row;
                    if (next < stop) {
                        columns[i] = A.col[next];
                        values[i] = A.values[perm ? perm[next] : next];
                    }
                }
#pragma unroll
                for (int i = 0; i < kAhead; ++i) {
                    if (e + i * threads_per_row < stop) operands[i] = x[columns[i]];
                }
#pragma unroll
                for (int i = 0; i < kAhead; ++i) {
                    if (e + i * threads_per_row < stop) sum = fma(values[i], operands[i], sum);
                }
            }
        }
        sum = sum_over_subwarp<threads_per_row>(sum);
        if (part == 0 && row < A.rows) y[row] = sum;
    }
}

}  // namespace dtpinn
