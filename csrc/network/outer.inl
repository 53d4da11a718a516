// The gradient in a weight, dW += G X': for each of its entries a sum over the points of a tile.
//
// Points are what a register holds, so an entry is a register of partial sums until the tile is
// through. Blocks of entries share what they read.
#pragma once

#include "../cpu/lanes.inl"
#include "kernels.h"
#include "multiply.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

#if DTPINN_LANE_BYTES == 64
constexpr std::int64_t kOuterRows = 5;  // 6 would fit, and leave over two of 50
#else
constexpr std::int64_t kOuterRows = 3;
#endif
constexpr std::int64_t kOuterColumns = 4;
// Bytes of X that stay in the first cache while all of G goes by.
constexpr std::int64_t kOuterCache = 16384;

// The lanes of v added by halves, until `wanted` bytes are left.
template <typename Scalar, int bytes, int wanted>
static inline typename Lanes<Scalar, wanted>::type fold(typename Lanes<Scalar, bytes>::type v) {
    if constexpr (bytes == wanted) {
        return v;
    } else {
        using Half = typename Lanes<Scalar, bytes / 2>::type;
        Half low, high;
        __builtin_memcpy(&low, &v, sizeof low);
        __builtin_memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
        return fold<Scalar, bytes / 2, wanted>(low + high);
    }
}

// Of two registers of runs of 2 `run` lanes each: the halves of every run added, those of a and of
// b in turn. So (a0+a1, b0+b1, a2+a3, b2+b3) for runs of 2.
template <int run, typename Vector, std::size_t... lane>
static inline Vector add_halves(Vector a, Vector b, std::index_sequence<lane...>) {
    constexpr std::size_t lanes = sizeof...(lane), size = run;
    constexpr auto from = [](std::size_t i, std::size_t half) {
        return (i % (2 * size) < size ? 0 : lanes) + i / (2 * size) * 2 * size + i % size +
               half * size;
    };
#if defined(__clang__)
    return __builtin_shufflevector(a, b, static_cast<int>(from(lane, 0))...) +
           __builtin_shufflevector(a, b, static_cast<int>(from(lane, 1))...);
#else
    using Places = decltype(a < b);  // integers as wide as the numbers
    return __builtin_shuffle(a, b, Places{static_cast<int>(from(lane, 0))...}) +
           __builtin_shuffle(a, b, Places{static_cast<int>(from(lane, 1))...});
#endif
}

// to[k] += the sum of the lanes of sum[k], for four of them: a third of the work of one by one.
template <int bytes, typename Vector, typename Scalar>
static inline void add_four_sums(const Vector* sum, Scalar* to) {
    constexpr int lanes = Lanes<Scalar, bytes>::count;
    if constexpr (lanes < 4) {
        for (int k = 0; k < 4; ++k) to[k] += sum_lanes<Scalar, bytes>(sum[k]);
    } else {
        constexpr auto all = std::make_index_sequence<lanes>();
        const Vector four = add_halves<2>(add_halves<1>(sum[0], sum[1], all),
                                          add_halves<1>(sum[2], sum[3], all), all);
        constexpr int wanted = 4 * sizeof(Scalar);
        store(to, load<wanted>(to) + fold<Scalar, bytes, wanted>(four));
    }
}

// A block of (rows, columns) entries of dW, whose rows are `inputs` numbers apart.
template <int rows, int columns, typename Scalar>
static void outer_block(const Scalar* g, std::int64_t outputs, const Scalar* x, std::int64_t inputs,
                        std::int64_t strips, Scalar* dw) {
    constexpr int bytes = DTPINN_LANE_BYTES, lanes = Lanes<Scalar, bytes>::count;
    constexpr std::int64_t unit = kUnit<Scalar>;
    using Vector = typename Lanes<Scalar, bytes>::type;
    Vector sum[rows][columns];
#pragma GCC unroll 6
    for (int j = 0; j < rows; ++j)  // one by one: the array shall never be in memory
#pragma GCC unroll 4
        for (int k = 0; k < columns; ++k) sum[j][k] = Vector{};
    for (std::int64_t s = 0; s < strips; ++s, g += outputs * unit, x += inputs * unit) {
#pragma GCC unroll 2
        for (int v = 0; v < kRegisters; ++v) {
            Vector left[rows];
#pragma GCC unroll 6
            for (int j = 0; j < rows; ++j) left[j] = load<bytes>(g + j * unit + v * lanes);
#pragma GCC unroll 6
            for (int k = 0; k < columns; ++k) {
                const Vector right = load<bytes>(x + k * unit + v * lanes);
#pragma GCC unroll 6
                for (int j = 0; j < rows; ++j) sum[j][k] += left[j] * right;
            }
        }
    }
#pragma GCC unroll 6
    for (int j = 0; j < rows; ++j)
        if constexpr (columns == 4)
            add_four_sums<bytes>(sum[j], dw + j * inputs);
        else
#pragma GCC unroll 4
            for (int k = 0; k < columns; ++k)
                dw[j * inputs + k] += sum_lanes<Scalar, bytes>(sum[j][k]);
}

template <typename Scalar, int rows = kOuterRows, int columns = kOuterColumns>
static inline void outer_block_of(std::int64_t wanted_rows, std::int64_t wanted_columns,
                                  const Scalar* g, std::int64_t outputs, const Scalar* x,
                                  std::int64_t inputs, std::int64_t strips, Scalar* dw) {
    if constexpr (rows > 0 && columns > 0) {
        if (wanted_rows < rows)
            outer_block_of<Scalar, rows - 1, columns>(wanted_rows, wanted_columns, g, outputs, x,
                                                      inputs, strips, dw);
        else if (wanted_columns < columns)
            outer_block_of<Scalar, rows, columns - 1>(wanted_rows, wanted_columns, g, outputs, x,
                                                      inputs, strips, dw);
        else
            outer_block<rows, columns>(g, outputs, x, inputs, strips, dw);
    }
}

static inline std::int64_t at_least(std::int64_t value, std::int64_t bound) {
    return value > bound ? value : bound;
}

static inline std::int64_t at_most(std::int64_t value, std::int64_t bound) {
    return value < bound ? value : bound;
}

// g (strips, outputs, Unit), x (strips, inputs, Unit): adds to dw (outputs, inputs).
template <typename Scalar>
static void outer_products(const Scalar* g, std::int64_t outputs, const Scalar* x,
                           std::int64_t inputs, std::int64_t strips, Scalar* dw) {
    constexpr std::int64_t unit = kUnit<Scalar>;
    const std::int64_t column = strips * unit * static_cast<std::int64_t>(sizeof(Scalar));
    const std::int64_t blocks = at_least(kOuterCache / (column * kOuterColumns), 1);
    const std::int64_t together = blocks * kOuterColumns;
    for (std::int64_t first = 0; first < inputs; first += together) {
        const std::int64_t end = at_most(first + together, inputs);
        for (std::int64_t j = 0; j < outputs; j += kOuterRows)
            for (std::int64_t k = first; k < end; k += kOuterColumns)
                outer_block_of<Scalar>(at_most(outputs - j, kOuterRows),
                                       at_most(end - k, kOuterColumns), g + j * unit, outputs,
                                       x + k * unit, inputs, strips, dw + j * inputs + k);
    }
}

// The gradient in a bias: the sum over the points, of the first of every `passes` strips.
template <typename Scalar>
static void sum_points(const Scalar* g, std::int64_t outputs, std::int64_t strips,
                       std::int64_t passes, Scalar* db) {
    constexpr int bytes = DTPINN_LANE_BYTES, lanes = Lanes<Scalar, bytes>::count;
    constexpr std::int64_t unit = kUnit<Scalar>;
    for (std::int64_t j = 0; j < outputs; ++j) {
        typename Lanes<Scalar, bytes>::type low = {}, high = {};
        for (std::int64_t s = 0; s < strips; s += passes) {
            low += load<bytes>(g + (s * outputs + j) * unit);
            high += load<bytes>(g + (s * outputs + j) * unit + lanes);
        }
        db[j] += sum_lanes<Scalar, bytes>(low + high);
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
