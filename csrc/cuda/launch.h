// Launchers: plain pointers and a stream. Launch errors are left for the caller to read with
// cudaGetLastError(). Nothing here allocates or synchronises, so a CUDA graph can capture it.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "../csr/view.h"

namespace dtpinn {

// y (rows) = A x when k == 1, else y (rows, k) = A x (columns, k). `nnz` only picks a launch shape.
template <typename Scalar, typename Index>
void launch_csr_product(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y, std::int64_t k,
                        std::int64_t nnz, cudaStream_t stream);

// out (nnz): inner products of the rows of y (rows, k) and x (columns, k).
template <typename Scalar, typename Index>
void launch_csr_sampled(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x,
                        Scalar* out, std::int64_t k, cudaStream_t stream);

}  // namespace dtpinn
