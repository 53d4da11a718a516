// out[e] = <y_i, x_j> for every stored entry e = (i, j), over k columns.
#pragma once

#include "../csr/view.h"
#include "warp.cuh"

namespace dtpinn {

// A sub-warp of `threads_per_row` takes the entries of a row side by side, `threads_per_entry` of
// its threads the columns of one entry.
template <int threads_per_row, int threads_per_entry, typename Scalar, typename Index>
__global__ void csr_sampled(CsrView<Scalar, Index> A, const Scalar* __restrict__ y,
                            const Scalar* __restrict__ x, Scalar* __restrict__ out,
                            std::int64_t k) {
    static_assert(threads_per_entry == 1 || threads_per_row == kWarp,
                  "rows of one warp have different lengths, so it could not add up together");
    constexpr int rows_per_warp = kWarp / threads_per_row;
    const int part = lane_in_warp() % threads_per_row;
    const std::int64_t step = warps_in_grid() * rows_per_warp;
    for (std::int64_t first = warp_in_grid() * rows_per_warp; first < A.rows; first += step) {
        const std::int64_t row = first + lane_in_warp() / threads_per_row;
        if (row >= A.rows) continue;
        const std::int64_t stop = A.crow[row + 1];
        for (std::int64_t next = A.crow[row]; next < stop;
             next += threads_per_row / threads_per_entry) {
            const std::int64_t e = next + part / threads_per_entry;
            Scalar sum = 0;
            if (e < stop) {
                const Scalar* const left = y + row * k;
                const Scalar* const right = x + static_cast<std::int64_t>(A.col[e]) * k;
                for (std::int64_t j = part % threads_per_entry; j < k; j += threads_per_entry) {
                    sum = fma(left[j], right[j], sum);
                }
            }
            sum = sum_over_subwarp<threads_per_entry>(sum);
            if (e < stop && part % threads_per_entry == 0) out[e] = sum;
        }
    }
}

}  // namespace dtpinn
