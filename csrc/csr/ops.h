// The registered operators as C++ sees them. Calling one goes through torch's dispatcher, so that
// autograd, vmap and tracing see the call; kernels are never called directly from a derivative.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <tuple>

namespace dtpinn {

// A sparse matrix and the structure of its transpose, stored side by side.
//   crow (rows + 1), col (nnz), values (nnz)        A
//   crow_t (columns + 1), col_t (nnz)               the structure of A^T
//   values_t (nnz), optional                        values[perm], when it has been computed
//   perm (nnz)                                      entry e of A^T is entry perm[e] of A
struct CsrTensors {
    at::Tensor crow, col, values, crow_t, col_t;
    std::optional<at::Tensor> values_t;
    at::Tensor perm;

    // The same structure with other values, whose transpose is not known yet.
    CsrTensors with_values(at::Tensor other) const {
        return {crow, col, std::move(other), crow_t, col_t, std::nullopt, perm};
    }
};

// A x, or A^T x when `transpose`; x is (n) or (..., n, k), as for a matrix in torch.matmul.
at::Tensor csr_product(const CsrTensors& A, const at::Tensor& x, bool transpose);

// For every stored entry (i, j) of A the inner product <y_i, x_j> of row i of y and row j of x,
// over columns and leading dimensions: the derivative of <y, A x> in the values of A. y is (rows)
// or (..., rows, k), x is (columns) or (..., columns, k). A.values is not read.
at::Tensor csr_sampled(const CsrTensors& A, const at::Tensor& y, const at::Tensor& x);

}  // namespace dtpinn
