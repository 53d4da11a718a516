#include "validate.h"

#include <ATen/Dispatch.h>
#include <c10/util/Exception.h>

#include <limits>

namespace dtpinn {
namespace {

template <typename Index>
void validate(const Index* crow, const Index* col, std::int64_t rows, std::int64_t nnz,
              std::int64_t columns) {
    TORCH_CHECK_VALUE(crow[0] == 0, "CSR: crow must start at 0, got crow[0] = ", crow[0]);
    for (std::int64_t i = 0; i < rows; ++i) {
        TORCH_CHECK_VALUE(crow[i] <= crow[i + 1], "CSR: crow must not decrease, got crow[", i,
                          "] = ", crow[i], " > crow[", i + 1, "] = ", crow[i + 1]);
    }
    TORCH_CHECK_VALUE(crow[rows] == nnz, "CSR: crow must end at the number of entries (", nnz,
                      "), got crow[", rows, "] = ", crow[rows]);
    for (std::int64_t e = 0; e < nnz; ++e) {
        TORCH_CHECK_VALUE(col[e] >= 0 && col[e] < columns, "CSR: column indices must lie in [0, ",
                          columns, "), got col[", e, "] = ", col[e]);
    }
}

}  // namespace

void check_structure_sizes(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns) {
    const auto index = crow.scalar_type();
    TORCH_CHECK_TYPE((index == at::kInt || index == at::kLong) && col.scalar_type() == index,
                     "CSR: crow and col must both be int32 or both int64, got ", index, " and ",
                     col.scalar_type());
    TORCH_CHECK_VALUE(crow.dim() == 1 && col.dim() == 1 && crow.size(0) >= 1,
                      "CSR: crow must be (rows + 1,) and col (nnz,), got shapes ", crow.sizes(),
                      " and ", col.sizes());
    TORCH_CHECK_VALUE(columns >= 0, "CSR: the number of columns must not be negative, got ",
                      columns);
    TORCH_CHECK_VALUE(columns < std::numeric_limits<std::int64_t>::max(), "CSR: ", columns,
                      " columns are too many: the transpose needs one row pointer more");
    TORCH_CHECK_VALUE(index == at::kLong || columns < std::numeric_limits<std::int32_t>::max(),
                      "CSR: ", columns, " columns need int64 indices, got int32");
    TORCH_CHECK_VALUE(crow.device() == col.device(), "CSR: crow is on ", crow.device(),
                      " and col on ", col.device(), "; move one");
}

void validate_structure(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns) {
    check_structure_sizes(crow, col, columns);
    const auto starts = crow.contiguous(), indices = col.contiguous();
    AT_DISPATCH_INDEX_TYPES(crow.scalar_type(), "validate_structure", [&] {
        validate(starts.const_data_ptr<index_t>(), indices.const_data_ptr<index_t>(),
                 starts.size(0) - 1, indices.size(0), columns);
    });
}

}  // namespace dtpinn
