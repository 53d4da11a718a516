// Shapes without data, for fake tensors, torch.compile and torch.export.
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/library.h>

#include "checks.h"

namespace dtpinn {
namespace {

at::Tensor product_meta(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& values,
                        const at::Tensor& crow_t, const at::Tensor& col_t,
                        const std::optional<at::Tensor>& values_t, const at::Tensor& perm,
                        const at::Tensor& x, bool transpose) {
    check_product({crow, col, values, crow_t, col_t, values_t, perm}, x, transpose);
    c10::SymDimVector size(x.sym_sizes().begin(), x.sym_sizes().end());
    size[row_dimension(x)] = (transpose ? crow_t : crow).sym_size(0) - 1;
    return at::empty_symint(size, x.options().memory_format(at::MemoryFormat::Contiguous));
}

at::Tensor sampled_meta(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& crow_t,
                        const at::Tensor& col_t, const at::Tensor& perm, const at::Tensor& y,
                        const at::Tensor& x) {
    check_sampled({crow, col, {}, crow_t, col_t, {}, perm}, y, x);
    return at::empty_symint({col.sym_size(0)}, y.options());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> transpose_meta(const at::Tensor& crow,
                                                              const at::Tensor& col,
                                                              c10::SymInt columns) {
    return {at::empty_symint({columns + 1}, crow.options()), at::empty_like(col),
            at::empty_like(col)};
}

}  // namespace

TORCH_LIBRARY_IMPL(dtpinn, Meta, m) {
    m.impl("csr_product", product_meta);
    m.impl("csr_sampled", sampled_meta);
    m.impl("csr_transpose", transpose_meta);
}

}  // namespace dtpinn
