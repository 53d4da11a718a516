// out[e] = <y_i, x_j> for the stored entries e = (i, j): the sampled product.
#pragma once

#include "kernels.h"
#include "loads.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

// <a, b> over k numbers, in two accumulators of one register each and then one number at a time.
template <typename Scalar>
static inline Scalar inner_product(const Scalar* a, const Scalar* b, std::int64_t k) {
    constexpr int bytes = DTPINN_LANE_BYTES;
    constexpr int lanes = Lanes<Scalar, bytes>::count;
    typename Lanes<Scalar, bytes>::type even = {}, odd = {};
    std::int64_t j = 0;
    for (; j + 2 * lanes <= k; j += 2 * lanes) {
        even += load<bytes>(a + j) * load<bytes>(b + j);
        odd += load<bytes>(a + j + lanes) * load<bytes>(b + j + lanes);
    }
    if (j + lanes <= k) {
        even += load<bytes>(a + j) * load<bytes>(b + j);
        j += lanes;
    }
    Scalar sum = sum_lanes<Scalar, bytes>(even + odd);
    for (; j < k; ++j) sum = multiply_add(a[j], b[j], sum);
    return sum;
}

// One row, where y_i and x_j are numbers.
template <typename Loads, typename Scalar, typename Index>
static inline void sampled_row(Scalar y, const Index* col, const Scalar* x, Scalar* out,
                               std::int64_t length) {
    constexpr int W = kWidth<Scalar>;
    std::int64_t e = 0;
    for (; e + W <= length; e += W) store(out + e, y * Loads::get(x, col + e));
    for (; e < length; ++e) out[e] = y * x[col[e]];
}

template <typename Loads, typename Scalar, typename Index>
static void sampled(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x, Scalar* out,
                    std::int64_t k, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = A.crow[i], stop = A.crow[i + 1];
        if (k == 1) {
            sampled_row<Loads>(y[i], A.col + first, x, out + first, stop - first);
        } else {
            for (std::int64_t e = first; e < stop; ++e)
                out[e] = inner_product(y + i * k, x + static_cast<std::int64_t>(A.col[e]) * k, k);
        }
    }
}

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
