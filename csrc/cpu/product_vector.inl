// y = A x for one vector.
//
// A row is summed as blocks of 2 W entries (W lanes of a register) in two accumulators, one block
// of W if there is one, and the last L mod W entries in the upper lanes of a vector filled up with
// zeros. That order depends on the row's length L alone, and not on the way in which x is loaded
// (loads.inl). Two kernels follow it to the bit:
//
//   product_row        any length. The last entries are read as the last W entries of the row, with
//                      those that are already summed masked out: no branch on what is left over,
//                      which would be mispredicted in every other row of a transpose.
//   product_equal_rows rows that are all of one length, as RBF-FD makes them: what is left over is
//                      known to the compiler and the number of blocks to the branch predictor.
//
// Every lane that is loaded is an entry of its row, also where it is masked out afterwards.
#pragma once

#include "kernels.h"
#include "loads.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// The upper `count` lanes of v, zeros below, for a count in [0, W).
template <typename Scalar>
static DTPINN_INLINE Wide<Scalar> keep_upper(Wide<Scalar> v, std::int64_t count) {
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

// sum += values x[col], lane by lane.
template <typename Loads, typename Scalar, typename Index>
static DTPINN_INLINE void add_products(Wide<Scalar>& sum, const Scalar* values, const Index* col,
                                       const Scalar* x) {
    sum += load<kWideBytes>(values) * Loads::get(x, col);
}

// Asks for memory some way beyond a row.
template <typename Scalar, typename Index>
static inline void ask_ahead(const Scalar* values, const Index* col, std::int64_t length) {
    constexpr int ahead = 512;                 // entries
    constexpr int line = 64 / sizeof(Scalar);  // of the cache
    constexpr int other = 64 / sizeof(Index);
    for (std::int64_t e = 0; e < length; e += line) __builtin_prefetch(values + ahead + e);
    for (std::int64_t e = 0; e < length; e += other) __builtin_prefetch(col + ahead + e);
}

template <typename Loads, typename Scalar, typename Index>
static DTPINN_INLINE Scalar product_row(const Scalar* values, const Index* col, const Scalar* x,
                                        std::int64_t length) {
    constexpr int W = kWidth<Scalar>;
    if (length < W) return product_short_row(values, col, x, length);
    Wide<Scalar> even = {}, odd = {};
    std::int64_t e = 0;
    for (; e + 2 * W <= length; e += 2 * W) {
        add_products<Loads>(even, values + e, col + e, x);
        add_products<Loads>(odd, values + e + W, col + e + W, x);
    }
    if (e + W <= length) {
        add_products<Loads>(even, values + e, col + e, x);
        e += W;
    }
    // Both are masked: infinity times the zero of a masked entry would be NaN.
    const std::int64_t last = length - W;
    odd += keep_upper<Scalar>(load<kWideBytes>(values + last), length - e) *
           keep_upper<Scalar>(Loads::get(x, col + last), length - e);
    return sum_lanes<Scalar, kWideBytes>(even + odd);
}

// The next 2 W entries.
template <typename Loads, typename Scalar, typename Index>
static DTPINN_INLINE void add_block(Wide<Scalar>& even, Wide<Scalar>& odd, const Scalar*& values,
                                    const Index*& col, const Scalar* x) {
    constexpr int W = kWidth<Scalar>;
    add_products<Loads>(even, values, col, x);
    add_products<Loads>(odd, values + W, col + W, x);
    values += 2 * W;
    col += 2 * W;
}

// `rows` rows of 4 W pairs + rest entries each, W or more, stored one after the other. Blocks go in
// pairs because a loop over blocks would spend a tenth of its instructions on itself.
template <typename Loads, int rest, typename Scalar, typename Index>
static __attribute__((noinline)) void product_equal_rows(const Scalar* values, const Index* col,
                                                         const Scalar* x, Scalar* y,
                                                         std::int64_t rows, std::int64_t pairs) {
    constexpr int W = kWidth<Scalar>;
    constexpr int tail = rest % W;
    for (std::int64_t i = 0; i < rows; ++i) {
        Wide<Scalar> even = {}, odd = {};
        for (std::int64_t pair = 0; pair < pairs; ++pair) {
            add_block<Loads>(even, odd, values, col, x);
            add_block<Loads>(even, odd, values, col, x);
        }
        if constexpr (rest >= 2 * W) add_block<Loads>(even, odd, values, col, x);
        if constexpr (rest % (2 * W) >= W) add_products<Loads>(even, values, col, x);
        values += rest % (2 * W);
        col += rest % (2 * W);
        if constexpr (tail > 0) {
            odd += keep_upper<Scalar>(load<kWideBytes>(values - W), tail) *
                   Loads::template get<W - tail>(x, col - W);
        }
        y[i] = sum_lanes<Scalar, kWideBytes>(even + odd);
    }
}

// Calls product_equal_rows<rest> for the rest in [0, limit) that is asked for.
template <typename Loads, int limit, typename Scalar, typename Index>
static void choose_rest(const Scalar* values, const Index* col, const Scalar* x, Scalar* y,
                        std::int64_t rows, std::int64_t pairs, int rest) {
    if constexpr (limit > 0) {
        if (rest == limit - 1) {
            product_equal_rows<Loads, limit - 1>(values, col, x, y, rows, pairs);
        } else {
            choose_rest<Loads, limit - 1>(values, col, x, y, rows, pairs, rest);
        }
    }
}

// Whether `rows` rows, whose first entries `crow` lists, are known to have this length. A register
// of rows at a time, the last of which may overlap: one by one they would take a twentieth of the
// product. Of fewer rows nothing is known.
template <typename Index>
static __attribute__((noinline)) bool all_have_length(const Index* crow, std::int64_t rows,
                                                      Index length) {
    using Rows = Lanes<Index, kWideBytes>;
    if (rows < Rows::count) return false;
    typename Rows::type other = {};
    for (std::int64_t r = 0; r < rows; r += Rows::count) {
        const Index* at = crow + (r < rows - Rows::count ? r : rows - Rows::count);
        other |= (load<kWideBytes>(at + 1) - load<kWideBytes>(at)) ^ length;
    }
    Index any = 0;
    for (int lane = 0; lane < Rows::count; ++lane) any |= other[lane];
    return any == 0;
}

// Apart from the loop around it, whose variables would take its registers.
template <typename Loads, typename Scalar, typename Index>
static __attribute__((noinline)) void product_uneven_rows(const CsrView<Scalar, Index>& A,
                                                          const Scalar* x, Scalar* y,
                                                          std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
        const Index first = A.crow[i];
        y[i] = product_row<Loads>(A.values + first, A.col + first, x, A.crow[i + 1] - first);
    }
}

template <typename Loads, typename Scalar, typename Index>
static void product_near(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                         std::int64_t begin, std::int64_t end) {
    constexpr int W = kWidth<Scalar>;
    constexpr std::int64_t group = 64;  // rows looked at together; changes no bit
    for (std::int64_t i = begin; i < end;) {
        const std::int64_t stop = i + group < end ? i + group : end;
        const Index length = A.crow[i + 1] - A.crow[i];
        if (length >= W && all_have_length(A.crow + i, stop - i, length)) {
            const Index first = A.crow[i];
            choose_rest<Loads, 4 * W>(A.values + first, A.col + first, x, y + i, stop - i,
                                      length / (4 * W), static_cast<int>(length % (4 * W)));
        } else {
            product_uneven_rows<Loads>(A, x, y, i, stop);
        }
        i = stop;
    }
}

// Where the entries come from memory, instructions are free, and asking ahead wins up to half the
// time.
template <typename Loads, typename Scalar, typename Index>
static void product_far(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                        std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
        const Index first = A.crow[i], length = A.crow[i + 1] - first;
        ask_ahead(A.values + first, A.col + first, length);
        y[i] = product_row<Loads>(A.values + first, A.col + first, x, length);
    }
}

template <typename Loads, typename Scalar, typename Index>
static void product_vector(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                           std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t near = 8 << 20;  // beyond every second-level cache
    constexpr std::int64_t bytes = sizeof(Scalar) + sizeof(Index);
    if ((A.crow[end] - A.crow[begin]) * bytes > near) {
        product_far<Loads>(A, x, y, begin, end);
    } else {
        product_near<Loads>(A, x, y, begin, end);
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
