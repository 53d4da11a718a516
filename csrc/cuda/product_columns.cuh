// y = A x for k columns, row-major: a warp per row and a lane per column, so that a row of x is
// read in one piece. Where k is small, parts of the warp take different entries of the row.
#pragma once

#include "../csr/view.h"
#include "warp.cuh"

namespace dtpinn {

constexpr int kColumnWarps = 4;  // per block: room for that many chunks of entries

// `tile` columns at a time; blocks with the same blockIdx.y share tiles. Entry e of A has the value
// values[perm[e]], or values[e] where perm is null.
template <int tile, typename Scalar, typename Index>
__global__ void csr_product_columns(CsrView<Scalar, Index> A, const Index* __restrict__ perm,
                                    const Scalar* __restrict__ x, Scalar* __restrict__ y,
                                    std::int64_t k) {
    struct alignas(16) Entry {  // read in one piece by all lanes
        std::int64_t start;     // of the row of x
        Scalar value;
    };
    __shared__ Entry chunks[kColumnWarps][kWarp];
    Entry* const chunk = chunks[threadIdx.x / kWarp];
    constexpr int parts = kWarp / tile;
    const int lane = lane_in_warp(), part = lane / tile;

    for (std::int64_t row = warp_in_grid(); row < A.rows; row += warps_in_grid()) {
        const std::int64_t begin = A.crow[row], stop = A.crow[row + 1];
        for (std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * tile; first < k;
             first += static_cast<std::int64_t>(gridDim.y) * tile) {
            const std::int64_t column = first + lane % tile;
            Scalar sum = 0;
            for (std::int64_t next = begin; next < stop; next += kWarp) {
                const std::int64_t e = next + lane;
                if (e < stop) {
                    chunk[lane] = {static_cast<std::int64_t>(A.col[e]) * k,
                                   A.values[perm ? perm[e] : e]};
                }
                __syncwarp();  // the chunk is there
                const int count = stop - next < kWarp ? static_cast<int>(stop - next) : kWarp;
                if (column < k) {
                    for (int i = part; i < count; i += kAhead * parts) {
                        Scalar values[kAhead], operands[kAhead];
#pragma unroll
                        for (int j = 0; j < kAhead; ++j) {
                            if (i + j * parts < count) {
                                const Entry entry = chunk[i + j * parts];
                                values[j] = entry.value;
                                operands[j] = x[entry.start + column];
                            }
                        }
#pragma unroll
                        for (int j = 0; j < kAhead; ++j) {
                            if (i + j * parts < count) sum = fma(values[j], operands[j], sum);
                        }
                    }
                }
                __syncwarp();  // it has been read: the next one may come
            }
            sum = sum_over_subwarp<kWarp, tile>(sum);
            if (part == 0 && column < k) y[row * k + column] = sum;
        }
    }
}

}  // namespace dtpinn
