// The transpose of a matrix that lives on a GPU, or wherever else torch sorts: the entries in the
// stable order of their columns. For the CPU there is counting, in transpose.h.
#include <ATen/ATen.h>
#include <torch/library.h>

#include <limits>

#include "validate.h"

namespace dtpinn {
namespace {

using Transpose = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

// What validate_structure looks for, asked of the device in one go: this waits for it once.
bool is_valid(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns) {
    const auto starts = crow.slice(0, 0, -1), stops = crow.slice(0, 1);
    const auto ends = (crow[0] == 0).logical_and(crow[-1] == col.size(0));
    const auto ascends = (starts <= stops).all();
    const auto in_range = (col >= 0).logical_and(col < columns).all();
    return ends.logical_and(ascends).logical_and(in_range).item<bool>();
}

Transpose sorted(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns) {
    const bool narrow = crow.scalar_type() == at::kInt;
    const auto [columns_in_order, order] = at::sort(col, /*stable=*/true, 0, /*descending=*/false);
    const auto perm = order.to(crow.scalar_type());
    // Row j of the transpose starts after all entries in earlier columns.
    const auto crow_t =
        at::searchsorted(columns_in_order, at::arange(columns + 1, crow.options()), narrow);
    // Entry e lies in the row before the first one that starts behind it.
    const auto col_t = at::searchsorted(crow.slice(0, 1), perm, narrow, /*right=*/true);
    return {crow_t, col_t, perm};
}

Transpose transpose_by_sorting(const at::Tensor& crow, const at::Tensor& col,
                               std::int64_t columns) {
    check_structure_sizes(crow, col, columns);
    if (!is_valid(crow, col, columns)) validate_structure(crow.cpu(), col.cpu(), columns);
    if (col.size(0) <= std::numeric_limits<std::int32_t>::max()) {
        return sorted(crow.contiguous(), col.contiguous(), columns);
    }
    // CUDA sorts no more than that at once: by way of the host.
    static const auto op =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("dtpinn::csr_transpose", "")
            .typed<Transpose(const at::Tensor&, const at::Tensor&, c10::SymInt)>();
    const auto [crow_t, col_t, perm] = op.call(crow.cpu(), col.cpu(), columns);
    return {crow_t.to(crow.device()), col_t.to(crow.device()), perm.to(crow.device())};
}

}  // namespace

TORCH_LIBRARY_IMPL(dtpinn, CompositeExplicitAutograd, m) {
    m.impl("csr_transpose", transpose_by_sorting);
}

}  // namespace dtpinn
