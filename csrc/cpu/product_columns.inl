// Y = A X for many columns at once: the entries of A are read once for a slab of up to kSlab
// columns, whose sums stay in registers. The number of columns in a slab is known to the compiler:
// full registers, then one half, a quarter and so on down to a single column.
#pragma once

#include "kernels.h"
#include "lanes.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Scalar>
constexpr int kSlab =
    8 * Lanes<Scalar, DTPINN_LANE_BYTES>::count < 32 ? 8 * Lanes<Scalar, DTPINN_LANE_BYTES>::count
                                                     : 32;

// One sum for each of `columns` columns, in registers of `bytes` bytes and below.
template <typename Scalar, int columns, int bytes = DTPINN_LANE_BYTES>
struct Sums {
    static constexpr int lanes = Lanes<Scalar, bytes>::count;
    static constexpr int full = columns / lanes;
    static constexpr int registers = full + Sums<Scalar, columns % lanes, bytes / 2>::registers;
    typename Lanes<Scalar, bytes>::type sum[full > 0 ? full : 1] = {};
    Sums<Scalar, columns % lanes, bytes / 2> rest;

    inline void add(Scalar value, const Scalar* x) {
#pragma GCC unroll 16
        for (int v = 0; v < full; ++v) sum[v] += value * load<bytes>(x + v * lanes);
        rest.add(value, x + full * lanes);
    }
    inline void add(const Sums& other) {
#pragma GCC unroll 16
        for (int v = 0; v < full; ++v) sum[v] += other.sum[v];
        rest.add(other.rest);
    }
    inline void write(Scalar* y) const {
#pragma GCC unroll 16
        for (int v = 0; v < full; ++v) store(y + v * lanes, sum[v]);
        rest.write(y + full * lanes);
    }
};

template <typename Scalar>
struct Sums<Scalar, 1, sizeof(Scalar)> {
    static constexpr int registers = 1;
    Scalar sum = 0;
    inline void add(Scalar value, const Scalar* x) { sum = multiply_add(value, *x, sum); }
    inline void add(const Sums& other) { sum += other.sum; }
    inline void write(Scalar* y) const { *y = sum; }
};

template <typename Scalar, int bytes>
struct Sums<Scalar, 0, bytes> {
    static constexpr int registers = 0;
    inline void add(Scalar, const Scalar*) {}
    inline void add(const Sums&) {}
    inline void write(Scalar*) const {}
};

template <int columns, typename Scalar, typename Index>
static void product_slab(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                         std::int64_t k, std::int64_t begin, std::int64_t end, bool prefetch) {
    using Slab = Sums<Scalar, columns>;
    // Few registers: more sets of them, for entries in turn, hide the latency of an addition.
    constexpr int turns = Slab::registers <= 2 ? 4 : Slab::registers <= 4 ? 2 : 1;
    constexpr int line = 64 / sizeof(Scalar);  // of the cache
    constexpr int ahead = 128;                 // entries
    const std::int64_t last = A.crow[end];
    for (std::int64_t i = begin; i < end; ++i) {
        const auto add = [&](Slab& sums, std::int64_t e) {
            if constexpr (columns >= 2 * line) {
                if (prefetch && e + ahead < last) {
                    const Scalar* next = x + static_cast<std::int64_t>(A.col[e + ahead]) * k;
#pragma GCC unroll 8
                    for (int j = 0; j < columns; j += line) __builtin_prefetch(next + j);
                }
            }
            sums.add(A.values[e], x + static_cast<std::int64_t>(A.col[e]) * k);
        };
        std::int64_t e = A.crow[i];
        const std::int64_t stop = A.crow[i + 1];
        Slab sums[turns];
        for (; e + turns <= stop; e += turns) {
#pragma GCC unroll 4
            for (int turn = 0; turn < turns; ++turn) add(sums[turn], e + turn);
        }
#pragma GCC unroll 4
        for (int turn = 0; turn < turns - 1; ++turn)
            if (e < stop) add(sums[turn], e++);
        if constexpr (turns == 4) sums[2].add(sums[3]);
        if constexpr (turns == 4) sums[0].add(sums[2]);
        if constexpr (turns >= 2) sums[0].add(sums[1]);
        sums[0].write(y + i * k);
    }
}

// Calls product_slab<columns> for the number in [1, limit] that is asked for.
template <int limit, typename Scalar, typename Index>
static void choose_slab(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y, std::int64_t k,
                        std::int64_t begin, std::int64_t end, bool prefetch, std::int64_t columns) {
    if constexpr (limit > 0) {
        if (columns == limit) {
            product_slab<limit>(A, x, y, k, begin, end, prefetch);
        } else {
            choose_slab<limit - 1>(A, x, y, k, begin, end, prefetch, columns);
        }
    }
}

template <typename Scalar, typename Index>
static void product_columns(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                            std::int64_t k, std::int64_t begin, std::int64_t end) {
    // Where X is far larger than the second-level cache, asking ahead wins a fifth; below it costs.
    constexpr std::int64_t far = 8 << 20;
    const bool prefetch = A.columns * k * static_cast<std::int64_t>(sizeof(Scalar)) > far;
    // As many slabs as it takes, of about equal width, whole registers but for the last.
    constexpr std::int64_t lanes = Lanes<Scalar, DTPINN_LANE_BYTES>::count;
    const std::int64_t slabs = (k + kSlab<Scalar> - 1) / kSlab<Scalar>;
    const std::int64_t even = (k + slabs - 1) / slabs;
    const std::int64_t width = slabs == 1 ? k : (even + lanes - 1) / lanes * lanes;
    for (std::int64_t first = 0; first < k; first += width) {
        const std::int64_t left = k - first;
        choose_slab<kSlab<Scalar>>(A, x + first, y + first, k, begin, end, prefetch,
                                   left < width ? left : width);
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
