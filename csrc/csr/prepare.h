// What every backend does around its kernel: check, pick A or the stored transpose, make the arrays
// contiguous, turn leading dimensions into columns and back, allocate the output.
#pragma once

#include <ATen/ATen.h>

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

inline PreparedProduct prepare_product(const at::Tensor& crow, const at::Tensor& col,
                                       const at::Tensor& values, const at::Tensor& crow_t,
                                       const at::Tensor& col_t,
                                       const std::optional<at::Tensor>& values_t,
                                       const at::Tensor& perm, const at::Tensor& x,
                                       bool transpose) {
    check_product(crow, col, values, crow_t, col_t, values_t, perm, x, transpose);
    const bool stored = transpose && values_t.has_value();
    PreparedProduct p{(transpose ? crow_t : crow).contiguous(),
                      (transpose ? col_t : col).contiguous(),
                      (stored ? *values_t : values).contiguous(),
                      transpose && !stored ? perm.contiguous() : at::Tensor(),
                      fold(x),
                      {},
                      (transpose ? crow_t : crow).size(0) - 1,
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

inline PreparedSampled prepare_sampled(const at::Tensor& crow, const at::Tensor& col,
                                       const at::Tensor& crow_t, const at::Tensor& col_t,
                                       const at::Tensor& perm, const at::Tensor& y,
                                       const at::Tensor& x) {
    check_sampled(crow, col, crow_t, col_t, perm, y, x);
    PreparedSampled p{crow.contiguous(),
                      col.contiguous(),
                      fold(y),
                      fold(x),
                      at::empty({col.size(0)}, y.options()),
                      crow.size(0) - 1,
                      x.size(row_dimension(x)),
                      0};
    p.k = column_count(p.x);
    return p;
}

}  // namespace dtpinn
