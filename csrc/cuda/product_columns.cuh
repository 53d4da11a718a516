// y = A x for k columns, row-major: a warp per row and a lane per column, so that a row of x is
// read in one piece. Where k is small, parts of the warp take different entries of the row.
#pragma once

#include "../csr/view.h"
#include "launch_shape.h"
#include "warp.cuh"

namespace dtpinn {

// `tile` columns at a time; blocks with the same blockIdx.y share tiles. Entry e of A has the value
// values[perm[e]], or values[e] where perm is null.
template <int tile, typename Scalar, typename Index>
__global__ void csr_product_columns(CsrView<Scalar, Index> A, const Index* __restrict__ perm,
                                    const Scalar* __restrict__ x, Scalar* __restrict__ y,
                                    std::int64_t k) {
    struct alignas(16) Entry {   // read in one piece by all lanes
        const Scalar* operands;  // a row of x, from the first column of the tile on
        Scalar value;
    };
    __shared__ Entry chunks[kColumnWarps][kWarp];
    Entry* const chunk = chunks[threadIdx.x / kWarp];
    constexpr int parts = kWarp / tile;
    constexpr int ahead = tile < kAhead ? tile : kAhead;  // a chunk has no more for each part
    const int lane = lane_in_warp(), part = lane / tile;
    const unsigned within = lane % tile;  // unsigned: the compiler need not extend its sign

    for (std::int64_t row = warp_in_grid(); row < A.rows; row += warps_in_grid()) {
        const std::int64_t begin = A.crow[row], stop = A.crow[row + 1];
        for (std::int64_t first = static_cast<std::int64_t>(blockIdx.y) * tile; first < k;
             first += static_cast<std::int64_t>(gridDim.y) * tile) {
            const std::int64_t column = first + within;
            Scalar sum = 0;
            for (std::int64_t staged = begin; staged < stop; staged += kWarp) {
                const std::int64_t e = staged + lane;
                if (e < stop) {
                    chunk[lane] = {x + static_cast<std::int64_t>(A.col[e]) * k + first,
                                   A.values[perm ? perm[e] : e]};
                }
                __syncwarp();  // the chunk is there
                const int count = stop - staged < kWarp ? static_cast<int>(stop - staged) : kWarp;
                if (column < k) {
                    const Entry* next = chunk + part;
                    // Unrolled, it would copy entries from register to register.
#pragma unroll 1
                    for (int left = count - part; left > 0; left -= ahead * parts) {
                        Entry entries[ahead];
                        Scalar operands[ahead];
#pragma unroll
                        for (int j = 0; j < ahead; ++j) {
                            if (left > j * parts) {
                                entries[j] = next[j * parts];
                                // Nobody writes there: an address from memory forgets it.
                                operands[j] = __ldg(entries[j].operands + within);
                            }
                        }
#pragma unroll
                        for (int j = 0; j < ahead; ++j) {
                            if (left > j * parts) sum = fma(entries[j].value, operands[j], sum);
                        }
                        next += ahead * parts;
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
