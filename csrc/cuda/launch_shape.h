// How many threads share a row, and how many blocks there are: from the matrix and from what the
// device can hold. No CUDA in here.
#pragma once

#include <algorithm>
#include <cstdint>

namespace dtpinn {

constexpr int kBlockWarps = 4;
// Of a block for many columns. Neighbouring rows share rows of x: the more of them a block takes,
// the more it finds in the cache of its multiprocessor. With 48 registers a thread, five blocks of
// 8 warps are on a multiprocessor at once, and no more than two of 16.
constexpr int kColumnWarps = 8;

struct DeviceLimits {
    std::int64_t resident_threads;  // that can be on the device at once
    std::int64_t blocks_x;          // largest grid
    std::int64_t blocks_y;
};

// Threads of a sub-warp for rows of `length` entries on the average: 4, 8, 16 or 32. About four
// entries per thread keep loads in flight and few lanes idle. A matrix too small to fill the device
// that way gets more threads per row, for there only the time of one row counts.
inline int threads_per_row(std::int64_t length, std::int64_t rows, const DeviceLimits& device) {
    int threads = 4;
    while (threads < 32 && 4 * threads < length) threads *= 2;
    while (threads < 32 && threads < length && rows <= device.resident_threads / (2 * threads))
        threads *= 2;
    return threads;
}

// Columns that a warp takes at a time: the smallest power of two that holds all k, up to a warp.
inline int column_tile(std::int64_t k) {
    int tile = 2;
    while (tile < 32 && tile < k) tile *= 2;
    return tile;
}

// Threads that share the k columns of one entry: about four columns each.
inline int threads_per_entry(std::int64_t k) {
    int threads = 1;
    while (threads < 32 && 4 * threads < k) threads *= 2;
    return threads;
}

// Blocks that hold this many warps, as far as a grid goes; the kernels' loops do the rest.
inline std::int64_t blocks_for(std::int64_t warps, int warps_per_block,
                               const DeviceLimits& device) {
    return std::min((warps - 1) / warps_per_block + 1, device.blocks_x);
}

// Blocks side by side along the tiles of columns: more than one only where rows alone would leave
// the device empty.
inline std::int64_t blocks_along_columns(std::int64_t rows, std::int64_t tiles,
                                         const DeviceLimits& device) {
    const std::int64_t room = std::max<std::int64_t>(device.resident_threads / 32 / rows, 1);
    return std::min({room, tiles, device.blocks_y});
}

}  // namespace dtpinn
