// y = A x for one vector.
//
// A row is summed as blocks of 2 W entries (W lanes of a register) in two accumulators, one block
// of W if there is one, and the last L mod W entries in the upper lanes of a vector filled up with
// zeros. That order depends on the row's length L alone. Two kernels follow it to the bit:
//
//   product_row        any length. The last entries are read as the last W entries of the row, with
//                      those that are already summed masked out: no branch on what is left over,
//                      which would be mispredicted in every other row of a transpose.
//   product_equal_rows rows that are all of one length, as RBF-FD makes them: what is left over is
//                      known to the compiler and the number of blocks to the branch predictor.
//
// Loads of x are scalar on purpose: for nodes in an order of any locality they beat vgather.
#pragma once

#include "kernels.h"
#include "lanes.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// Registers of 64 bytes win nothing where every lane is loaded by itself.
constexpr int kWideBytes = DTPINN_LANE_BYTES < 32 ? DTPINN_LANE_BYTES : 32;

template <typename Scalar>
constexpr int kWidth = Lanes<Scalar, kWideBytes>::count;

template <typename Scalar>
using Wide = typename Lanes<Scalar, kWideBytes>::type;

// x[col[0]], ..., x[col[W - 1]]. Two int32 indices come in one load: loads are what limits here.
template <typename Scalar, typename Index>
static inline Wide<Scalar> gather(const Scalar* x, const Index* col) {
    Wide<Scalar> v;
    for (int lane = 0; lane < kWidth<Scalar>; lane += 2) {
        if constexpr (sizeof(Index) == 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
            std::uint64_t two;
            __builtin_memcpy(&two, col + lane, sizeof two);
            v[lane] = x[static_cast<std::uint32_t>(two)];
            v[lane + 1] = x[two >> 32];
        } else {
            v[lane] = x[col[lane]];
            v[lane + 1] = x[col[lane + 1]];
        }
    }
    return v;
}

// The upper `count` lanes from at(0), at(1), ..., zeros below.
template <int count, typename Scalar, typename At>
static inline Wide<Scalar> upper_lanes(const At& at) {
    Wide<Scalar> v = {};
    for (int lane = 0; lane < count; ++lane) v[kWidth<Scalar> - count + lane] = at(lane);
    return v;
}

// The upper `count` lanes of v, zeros below, for a count in [0, W) known only at run time.
template <typename Scalar>
static inline Wide<Scalar> keep_upper(Wide<Scalar> v, std::int64_t count) {
    constexpr int W = kWidth<Scalar>;
    using Bits = std::conditional_t<sizeof(Scalar) == 8, std::int64_t, std::int32_t>;
    typedef Bits Mask __attribute__((vector_size(kWideBytes)));
    static constexpr struct Window {
        Bits bits[2 * W] = {};
        constexpr Window() {
            for (int lane = W; lane < 2 * W; ++lane) bits[lane] = -1;
        }
    } window;
    Mask mask;
    __builtin_memcpy(&mask, window.bits + count, sizeof mask);
    return reinterpret_cast<Wide<Scalar>>(reinterpret_cast<Mask>(v) & mask);
}

// Fewer entries than lanes.
template <typename Scalar, typename Index>
static inline Scalar product_short_row(const Scalar* values, const Index* col, const Scalar* x,
                                       std::int64_t length) {
    Scalar sum = 0;
    for (std::int64_t e = 0; e < length; ++e) sum = multiply_add(values[e], x[col[e]], sum);
    return sum;
}

template <typename Scalar, typename Index>
static inline Scalar product_row(const Scalar* values, const Index* col, const Scalar* x,
                                 std::int64_t length) {
    constexpr int W = kWidth<Scalar>;
    if (length < W) return product_short_row(values, col, x, length);
    Wide<Scalar> even = {}, odd = {};
    std::int64_t e = 0;
    for (; e + 2 * W <= length; e += 2 * W) {
        even += load<kWideBytes>(values + e) * gather(x, col + e);
        odd += load<kWideBytes>(values + e + W) * gather(x, col + e + W);
    }
    if (e + W <= length) {
        even += load<kWideBytes>(values + e) * gather(x, col + e);
        e += W;
    }
    // Both are masked: infinity times the zero of a masked entry would be NaN.
    const std::int64_t last = length - W;
    odd += keep_upper<Scalar>(load<kWideBytes>(values + last), length - e) *
           keep_upper<Scalar>(gather(x, col + last), length - e);
    return sum_lanes<Scalar, kWideBytes>(even + odd);
}

// `rows` rows of 2 W blocks + rest entries each, stored one after the other.
template <int rest, typename Scalar, typename Index>
static void product_equal_rows(const Scalar* values, const Index* col, const Scalar* x, Scalar* y,
                               std::int64_t rows, std::int64_t blocks) {
    constexpr int W = kWidth<Scalar>;
    constexpr int tail = rest % W;
    for (std::int64_t i = 0; i < rows; ++i) {
        Wide<Scalar> even = {}, odd = {};
        for (std::int64_t block = 0; block < blocks; ++block, values += 2 * W, col += 2 * W) {
            even += load<kWideBytes>(values) * gather(x, col);
            odd += load<kWideBytes>(values + W) * gather(x, col + W);
        }
        if constexpr (rest >= W) even += load<kWideBytes>(values) * gather(x, col);
        if constexpr (tail > 0) {
            const Scalar* v = values + rest - tail;
            const Index* c = col + rest - tail;
            odd += upper_lanes<tail, Scalar>([=](int lane) { return v[lane]; }) *
                   upper_lanes<tail, Scalar>([=](int lane) { return x[c[lane]]; });
        }
        y[i] = sum_lanes<Scalar, kWideBytes>(even + odd);
        values += rest;
        col += rest;
    }
}

// Calls product_equal_rows<rest> for the rest in [0, limit) that is asked for.
template <int limit, typename Scalar, typename Index>
static void choose_rest(const Scalar* values, const Index* col, const Scalar* x, Scalar* y,
                        std::int64_t rows, std::int64_t blocks, int rest) {
    if constexpr (limit > 0) {
        if (rest == limit - 1) {
            product_equal_rows<limit - 1>(values, col, x, y, rows, blocks);
        } else {
            choose_rest<limit - 1>(values, col, x, y, rows, blocks, rest);
        }
    }
}

template <typename Scalar, typename Index>
static void product_vector(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                           std::int64_t begin, std::int64_t end) {
    constexpr int W = kWidth<Scalar>;
    constexpr std::int64_t group = 64;  // rows looked at together; changes no bit
    for (std::int64_t i = begin; i < end;) {
        const std::int64_t stop = i + group < end ? i + group : end;
        const Index length = A.crow[i + 1] - A.crow[i];
        bool equal = length >= W;
        for (std::int64_t r = i + 1; r < stop && equal; ++r)
            equal = A.crow[r + 1] - A.crow[r] == length;
        if (equal) {
            const Index first = A.crow[i];
            choose_rest<2 * W>(A.values + first, A.col + first, x, y + i, stop - i,
                               length / (2 * W), static_cast<int>(length % (2 * W)));
            i = stop;
        }
        for (; i < stop; ++i) {
            const Index first = A.crow[i];
            y[i] = product_row(A.values + first, A.col + first, x, A.crow[i + 1] - first);
        }
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
