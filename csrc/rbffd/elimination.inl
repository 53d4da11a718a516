// Gaussian elimination with partial pivoting of an augmented matrix [K | B], column by column in
// memory: B becomes the solutions.
//
// K is symmetric and indefinite, with a block of zeros: it needs pivots. They are sought in whole
// registers along a column. Panels of as many columns as a register has lanes are eliminated one
// column at a time; the columns to the right of a panel then receive all of its multiples at once,
// in registers, which is where nearly all of the work is.
//
// Rows beyond `rows`, up to the padded length of a column, hold zeros and are never pivots.
#pragma once

#include "row.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

typedef std::int64_t RowIndex __attribute__((vector_size(DTPINN_LANE_BYTES)));

struct Augmented {
    double* entries;
    std::int64_t stride;   // from column to column: the padded number of rows
    std::int64_t rows;     // of K, and columns
    std::int64_t columns;  // of [K | B]
    double* column(std::int64_t j) const { return entries + j * stride; }
};

static inline RowIndex lane_numbers() {
    RowIndex numbers;
    for (int lane = 0; lane < kLanes; ++lane) numbers[lane] = lane;
    return numbers;
}

// The place of the largest |entry| at or below the diagonal of column k, which lies in the block of
// rows that begins at `first`.
static inline std::int64_t find_pivot(const double* column, std::int64_t k, std::int64_t first,
                                      std::int64_t stride) {
    const RowIndex lanes = lane_numbers();
    const auto magnitude = [&](std::int64_t i) {
        const Row v = row(column + i);
        return v < 0.0 ? -v : v;
    };
    Row largest = lanes >= k - first ? magnitude(first) : Row{} - 1.0;
    RowIndex place = lanes + first;
    for (std::int64_t i = first + kLanes; i < stride; i += kLanes) {
        const Row v = magnitude(i);
        const auto larger = v > largest;
        largest = larger ? v : largest;
        place = larger ? lanes + i : place;
    }
    std::int64_t best = k - first;
    for (std::int64_t lane = 0; lane < kLanes; ++lane)
        if (largest[lane] > largest[best]) best = lane;
    return place[best];
}

static inline void swap_entries(double* column, std::int64_t i, std::int64_t j) {
    const double held = column[i];
    column[i] = column[j];
    column[j] = held;
}

// Eliminates columns [first, end) on their own rows; false where no pivot is left.
static bool eliminate_panel(const Augmented& a, std::int64_t first, std::int64_t end,
                            std::int64_t* pivots) {
    const RowIndex lanes = lane_numbers();
    for (std::int64_t k = first; k < end; ++k) {
        double* column = a.column(k);
        const std::int64_t pivot = find_pivot(column, k, first, a.stride);
        if (!(column[pivot] != 0.0)) return false;
        pivots[k - first] = pivot;
        for (std::int64_t j = first; j < end; ++j) swap_entries(a.column(j), k, pivot);
        const double reciprocal = 1.0 / column[k];
        const auto below = lanes > k - first;
        const Row head = row(column + first), head_multiples = head * reciprocal;
        store(column + first, below ? head_multiples : head);
        for (std::int64_t i = first + kLanes; i < a.stride; i += kLanes)
            store(column + i, row(column + i) * reciprocal);
        for (std::int64_t j = k + 1; j < end; ++j) {
            double* other = a.column(j);
            const double factor = other[k];
            store(other + first, row(other + first) - factor * (below ? head_multiples : Row{}));
            for (std::int64_t i = first + kLanes; i < a.stride; i += kLanes)
                store(other + i, row(other + i) - factor * row(column + i));
        }
    }
    return true;
}

// Swaps the rows of the columns right of the panel as those of the panel were, and solves with its
// unit lower triangle.
static void finish_rows_of_panel(const Augmented& a, std::int64_t first, std::int64_t end,
                                 const std::int64_t* pivots) {
    const RowIndex lanes = lane_numbers();
    Row triangle[kLanes] = {};
    for (std::int64_t k = first; k < end; ++k)
        triangle[k - first] = lanes > k - first ? row(a.column(k) + first) : Row{};
    // Not in the loop below: a register that is read right after its lanes were written one by one
    // waits for all of them.
    for (std::int64_t j = end; j < a.columns; ++j)
        for (std::int64_t k = first; k < end; ++k) swap_entries(a.column(j), k, pivots[k - first]);
    for (std::int64_t j = end; j < a.columns; ++j) {
        double* column = a.column(j);
        Row v = row(column + first);
#pragma GCC unroll 8
        for (int t = 0; t < kLanes - 1; ++t) v -= v[t] * triangle[t];
        store(column + first, v);
    }
}

// Subtracts the multiples of the panel's rows from `blocks` registers of rows, from row i on.
template <int blocks>
static void update_rows(const Augmented& a, std::int64_t first, std::int64_t end, std::int64_t i) {
    Row multiples[kLanes][blocks];
    for (int t = 0; t < kLanes; ++t)
        for (int b = 0; b < blocks; ++b)
            multiples[t][b] = row(a.column(first + t) + i + b * kLanes);
    for (std::int64_t j = end; j < a.columns; ++j) {
        double* column = a.column(j);
        const double* factors = column + first;
        Row v[blocks];
        for (int b = 0; b < blocks; ++b) v[b] = row(column + i + b * kLanes);
#pragma GCC unroll 8
        for (int t = 0; t < kLanes; ++t)
#pragma GCC unroll 2
            for (int b = 0; b < blocks; ++b) v[b] -= factors[t] * multiples[t][b];
        for (int b = 0; b < blocks; ++b) store(column + i + b * kLanes, v[b]);
    }
}

// B <- U^-1 B.
static void substitute_back(const Augmented& a) {
    const RowIndex lanes = lane_numbers();
    for (std::int64_t k = a.rows - 1; k >= 0; --k) {
        const double* column = a.column(k);
        const std::int64_t block = k / kLanes * kLanes;
        const RowIndex place = lanes - (k - block);
        const Row head = place < 0 ? row(column + block) : Row{};
        for (std::int64_t j = a.rows; j < a.columns; ++j) {
            double* x = a.column(j);
            const double value = x[k] / column[k];
            const Row solved = row(x + block) - value * head;
            store(x + block, place == 0 ? Row{} + value : solved);
            for (std::int64_t i = 0; i < block; i += kLanes)
                store(x + i, row(x + i) - value * row(column + i));
        }
    }
}

// False where K is singular to the last bit; B then holds nothing of use.
static bool solve(const Augmented& a) {
    std::int64_t pivots[kLanes];
    for (std::int64_t first = 0; first < a.rows; first += kLanes) {
        const std::int64_t end = first + kLanes < a.rows ? first + kLanes : a.rows;
        if (!eliminate_panel(a, first, end, pivots)) return false;
        finish_rows_of_panel(a, first, end, pivots);
        std::int64_t i = first + kLanes;
        for (; i + 2 * kLanes <= a.stride; i += 2 * kLanes) update_rows<2>(a, first, end, i);
        if (i < a.stride) update_rows<1>(a, first, end, i);
    }
    substitute_back(a);
    return true;
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
