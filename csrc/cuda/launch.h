// Launchers: plain pointers and a stream, on the current device. Nothing here allocates or
// synchronises, so a CUDA graph can capture it. What CUDA says to the launch is returned.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "../csr/view.h"

namespace dtpinn {

// y (rows) = A x when k == 1, else y (rows, k) = A x (columns, k). Entry e of A has the value
// values[perm[e]], or values[e] where perm is null. `nnz` only serves to pick a launch shape.
template <typename Scalar, typename Index>
cudaError_t launch_csr_product(const CsrView<Scalar, Index>& A, const Index* perm, const Scalar* x,
                               Scalar* y, std::int64_t k, std::int64_t nnz, cudaStream_t stream);

// out (nnz): for every entry the inner product of its rows of y (rows, k) and x (columns, k).
// A.values is not read.
template <typename Scalar, typename Index>
cudaError_t launch_csr_sampled(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x,
                               Scalar* out, std::int64_t k, std::int64_t nnz, cudaStream_t stream);

}  // namespace dtpinn
