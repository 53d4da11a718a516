// What every backend does around its kernel: check, pick A or the stored transpose, make the arrays
// contiguous, turn leading dimensions into columns and back, allocate the output.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include "checks.h"

namespace dtpinn {

// (..., n, k) -> (n, ... k), so that leading dimensions become columns of one product.
inline at::Tensor fold(const at::Tensor& x) {
    if (x.dim() <= 2) return x.contiguous();
    std::int64_t columns = 1;
    for (std::int64_t d = 0; d < x.dim(); ++d)
        if (d != row_dimension(x)) columns *= x.size(d);
    return x.movedim(-2, 0).reshape({x.size(-2), columns}).contiguous();
}

// The inverse for a result: (m, ... k) -> (..., m, k), like x.
inline at::Tensor unfold(const at::Tensor& y, const at::Tensor& x) {
    if (x.dim() <= 2) return y;
    at::DimVector size{y.size(0)};
    size.append(x.sizes().begin(), x.sizes().end() - 2);
    size.push_back(x.size(-1));
    return y.view(size).movedim(0, -2).contiguous();
}

inline std::int64_t column_count(const at::Tensor& folded) {
    return folded.dim() == 1 ? 1 : folded.size(1);
}

struct PreparedProduct {
    at::Tensor crow, col, values;  // of the matrix that multiplies: A, or A^T
    at::Tensor perm;               // where defined, entry e of it has the value values[perm[e]]
    at::Tensor x, y;               // folded
    std::int64_t rows, columns, k;
};

inline PreparedProduct prepare_product(const CsrTensors& A, const at::Tensor& x, bool transpose) {
    check_product(A, x, transpose);
    const bool stored = transpose && A.values_t.has_value();
    PreparedProduct p{(transpose ? A.crow_t : A.crow).contiguous(),
                      (transpose ? A.col_t : A.col).contiguous(),
                      (stored ? *A.values_t : A.values).contiguous(),
                      transpose && !stored ? A.perm.contiguous() : at::Tensor(),
                      fold(x),
                      {},
                      (transpose ? A.crow_t : A.crow).size(0) - 1,
                      x.size(row_dimension(x)),
                      0};
    p.k = column_count(p.x);
    p.y = x.dim() == 1 ? at::empty({p.rows}, x.options()) : at::empty({p.rows, p.k}, x.options());
    return p;
}

struct PreparedSampled {
    at::Tensor crow, col, y, x, out;
    std::int64_t rows, columns, k;
};

// A without values.
inline PreparedSampled prepare_sampled(const CsrTensors& A, const at::Tensor& y,
                                       const at::Tensor& x) {
    check_sampled(A, y, x);
    PreparedSampled p{A.crow.contiguous(),
                      A.col.contiguous(),
                      fold(y),
                      fold(x),
                      at::empty({A.col.size(0)}, y.options()),
                      A.crow.size(0) - 1,
                      x.size(row_dimension(x)),
                      0};
    p.k = column_count(p.x);
    return p;
}

}  // namespace dtpinn
