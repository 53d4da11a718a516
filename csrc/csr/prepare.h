// What every backend does before its kernel: check, pick A or the stored transpose, make the arrays
// contiguous and allocate the output.
#pragma once

#include <ATen/ATen.h>

#include "checks.h"

namespace dtpinn {

struct PreparedProduct {
    at::Tensor crow, col, values;  // of the matrix that multiplies: A, or A^T
    at::Tensor x, y;
    std::int64_t rows, columns, k;
};

inline std::int64_t column_count(const at::Tensor& x) { return x.dim() == 1 ? 1 : x.size(1); }

inline PreparedProduct prepare_product(const at::Tensor& crow, const at::Tensor& col,
                                       const at::Tensor& values, const at::Tensor& crow_t,
                                       const at::Tensor& col_t,
                                       const std::optional<at::Tensor>& values_t,
                                       const at::Tensor& perm, const at::Tensor& x,
                                       bool transpose) {
    check_product(crow, col, values, crow_t, col_t, values_t, perm, x, transpose);
    at::Tensor entries = values;
    if (transpose) entries = values_t.has_value() ? *values_t : values.index_select(0, perm);
    PreparedProduct p{(transpose ? crow_t : crow).contiguous(),
                      (transpose ? col_t : col).contiguous(),
                      entries.contiguous(),
                      x.contiguous(),
                      {},
                      (transpose ? crow_t : crow).size(0) - 1,
                      x.size(0),
                      column_count(x)};
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
    return {crow.contiguous(),
            col.contiguous(),
            y.contiguous(),
            x.contiguous(),
            at::empty({col.size(0)}, y.options()),
            crow.size(0) - 1,
            x.size(0),
            column_count(x)};
}

}  // namespace dtpinn
