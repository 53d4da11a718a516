// What every backend checks before a kernel runs: sizes, dtypes and devices, all known on the host
// without a synchronisation. The column indices themselves are trusted here; dtpinn.CSR has
// checked them once, when the matrix was made.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include "ops.h"

namespace dtpinn {

// All of A but its values.
inline void check_structure_arguments(const char* op, const CsrTensors& A) {
    const auto index = A.crow.scalar_type();
    TORCH_CHECK_TYPE(index == at::kInt || index == at::kLong, op,
                     ": index tensors must be int32 or int64, crow is ", index);
    for (const auto* t : {&A.crow, &A.col, &A.crow_t, &A.col_t, &A.perm}) {
        TORCH_CHECK_VALUE(t->dim() == 1, op, ": index tensors must be 1-D, got ", t->dim(), "-D");
        TORCH_CHECK_TYPE(t->scalar_type() == index, op,
                         ": all index tensors must have the dtype of crow (", index, "), got ",
                         t->scalar_type());
        TORCH_CHECK_VALUE(t->device() == A.crow.device(), op,
                          ": all tensors must be on one device, got ", A.crow.device(), " and ",
                          t->device());
    }
    TORCH_CHECK_VALUE(A.crow.sym_size(0) >= 1 && A.crow_t.sym_size(0) >= 1, op,
                      ": crow and crow_t must hold at least one entry");
    const auto nnz = A.col.sym_size(0);
    TORCH_CHECK_VALUE(A.col_t.sym_size(0) == nnz && A.perm.sym_size(0) == nnz, op, ": col has ",
                      nnz, " entries, but col_t has ", A.col_t.sym_size(0), " and perm has ",
                      A.perm.sym_size(0));
}

inline void check_values(const char* op, const char* name, const at::Tensor& values,
                         const at::Tensor& col) {
    TORCH_CHECK_TYPE(values.scalar_type() == at::kDouble || values.scalar_type() == at::kFloat, op,
                     ": ", name, " must be float64 or float32, got ", values.scalar_type());
    TORCH_CHECK_VALUE(values.dim() == 1 && values.sym_size(0) == col.sym_size(0), op, ": ", name,
                      " must hold one number per stored entry (", col.sym_size(0), "), got shape ",
                      values.sym_sizes());
    TORCH_CHECK_VALUE(values.device() == col.device(), op,
                      ": all tensors must be on one device, got ", col.device(), " and ",
                      values.device());
}

// The dimension of an operand that meets the matrix: (n) or (..., n, k).
inline std::int64_t row_dimension(const at::Tensor& x) { return x.dim() == 1 ? 0 : x.dim() - 2; }

inline void check_operand(const char* op, const char* name, const at::Tensor& x,
                          const c10::SymInt& length, const char* what, at::ScalarType dtype,
                          c10::Device device) {
    TORCH_CHECK_VALUE(x.dim() >= 1, op, ": ", name, " must be (n,) or (..., n, k), got a scalar");
    TORCH_CHECK_VALUE(x.sym_size(row_dimension(x)) == length, op, ": ", name, " of shape ",
                      x.sym_sizes(), " has ", x.sym_size(row_dimension(x)),
                      " rows where the matrix has ", length, " ", what);
    TORCH_CHECK_TYPE(x.scalar_type() == dtype, op, ": ", name, " is ", x.scalar_type(),
                     " where the matrix is ", dtype, "; convert one with .to(dtype)");
    TORCH_CHECK_VALUE(x.device() == device, op, ": ", name, " is on ", x.device(),
                      " where the matrix is on ", device, "; move one with .to(device)");
}

inline void check_product(const CsrTensors& A, const at::Tensor& x, bool transpose) {
    const char* op = "csr_product";
    check_structure_arguments(op, A);
    check_values(op, "values", A.values, A.col);
    const auto dtype = A.values.scalar_type();
    if (A.values_t.has_value()) {
        check_values(op, "values_t", *A.values_t, A.col);
        TORCH_CHECK_TYPE(A.values_t->scalar_type() == dtype, op, ": values_t is ",
                         A.values_t->scalar_type(), " where values is ", dtype);
    }
    const auto length = (transpose ? A.crow : A.crow_t).sym_size(0) - 1;
    check_operand(op, "x", x, length, transpose ? "rows" : "columns", dtype, A.values.device());
}

// A without values.
inline void check_sampled(const CsrTensors& A, const at::Tensor& y, const at::Tensor& x) {
    const char* op = "csr_sampled";
    check_structure_arguments(op, A);
    const auto dtype = y.scalar_type();
    TORCH_CHECK_TYPE(dtype == at::kDouble || dtype == at::kFloat, op,
                     ": y must be float64 or float32, got ", dtype);
    check_operand(op, "y", y, A.crow.sym_size(0) - 1, "rows", dtype, A.col.device());
    check_operand(op, "x", x, A.crow_t.sym_size(0) - 1, "columns", dtype, A.col.device());
    bool alike = x.dim() == y.dim();
    for (std::int64_t d = 0; alike && d < x.dim(); ++d)
        alike = d == row_dimension(x) || x.sym_size(d) == y.sym_size(d);
    TORCH_CHECK_VALUE(alike, op, ": y and x must agree in all but their rows, got shapes ",
                      y.sym_sizes(), " and ", x.sym_sizes());
}

}  // namespace dtpinn
