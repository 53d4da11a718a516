// y = A x on the GPU, no torch: a sub-warp of threads per row, so that neighbouring threads read
// neighbouring entries, summed by shuffles in a fixed order. No atomics: the same bits every time,
// also for the transpose, which is the same kernel on the stored transpose.
#pragma once

#include <cstdint>

#include "../csr/view.h"

namespace dtpinn {

template <int threads_per_row, typename Scalar, typename Index>
__global__ void csr_product_vector(CsrView<Scalar, Index> A, const Scalar* __restrict__ x,
                                   Scalar* __restrict__ y) {
    const std::int64_t thread = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    const std::int64_t row = thread / threads_per_row;
    const int lane = static_cast<int>(thread % threads_per_row);
    Scalar sum = 0;
    if (row < A.rows) {
        const std::int64_t stop = A.crow[row + 1];
        for (std::int64_t e = A.crow[row] + lane; e < stop; e += threads_per_row) {
            sum = fma(A.values[e], x[A.col[e]], sum);
        }
    }
    // Every lane of the warp takes part, also those past the last row: the mask stays full.
    for (int offset = threads_per_row / 2; offset > 0; offset /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, offset, threads_per_row);
    }
    if (lane == 0 && row < A.rows) y[row] = sum;
}

// k columns: one warp per row, one lane per column, so that a row of x is read in one piece.
template <typename Scalar, typename Index>
__global__ void csr_product_columns(CsrView<Scalar, Index> A, const Scalar* __restrict__ x,
                                    Scalar* __restrict__ y, std::int64_t k) {
    const std::int64_t row =
        (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
    if (row >= A.rows) return;
    for (std::int64_t j = threadIdx.x % 32; j < k; j += 32) {
        Scalar sum = 0;
        for (std::int64_t e = A.crow[row]; e < A.crow[row + 1]; ++e) {
            sum = fma(A.values[e], x[static_cast<std::int64_t>(A.col[e]) * k + j], sum);
        }
        y[row * k + j] = sum;
    }
}

// out[e] = <y_i, x_j> for every stored entry (i, j): one warp per row, one lane per entry.
template <typename Scalar, typename Index>
__global__ void csr_sampled(CsrView<Scalar, Index> A, const Scalar* __restrict__ y,
                            const Scalar* __restrict__ x, Scalar* __restrict__ out,
                            std::int64_t k) {
    const std::int64_t row =
        (static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
    if (row >= A.rows) return;
    for (std::int64_t e = A.crow[row] + threadIdx.x % 32; e < A.crow[row + 1]; e += 32) {
        const Scalar* xj = x + static_cast<std::int64_t>(A.col[e]) * k;
        Scalar sum = 0;
        for (std::int64_t j = 0; j < k; ++j) sum = fma(y[row * k + j], xj[j], sum);
        out[e] = sum;
    }
}

}  // namespace dtpinn
