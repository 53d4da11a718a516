// The table of the kernels, compiled once per instruction set (target.h). Products and sums
// contract to fma where there is one.
//
// The compiler does not vectorise loops here by itself: it would do so differently for 32-bit and
// 64-bit indices, splitting multiply-adds on the way, and the bits of a result would depend on how
// the indices are stored.
#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-vectorize")
#endif

#include "kernels.h"
#include "product_columns.inl"
#include "product_vector.inl"
#include "sampled.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Loads, typename Scalar, typename Index>
constexpr CsrKernels<Scalar, Index> kTable{product_vector<Loads, Scalar, Index>,
                                           product_columns<Scalar, Index>,
                                           sampled<Loads, Scalar, Index>};

template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& kernels(Loading loading) {
    return loading == Loading::gather ? kTable<HardwareGathers, Scalar, Index>
                                      : kTable<ScalarLoads, Scalar, Index>;
}

template const CsrKernels<double, std::int32_t>& kernels(Loading);
template const CsrKernels<double, std::int64_t>& kernels(Loading);
template const CsrKernels<float, std::int32_t>& kernels(Loading);
template const CsrKernels<float, std::int64_t>& kernels(Loading);

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
