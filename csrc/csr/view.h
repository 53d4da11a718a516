// A CSR matrix as the kernels see it: raw pointers and sizes, no torch.
#pragma once

#include <cstdint>

namespace dtpinn {

template <typename Scalar, typename Index>
struct CsrView {
    const Index* crow;     // (rows + 1) first entry of each row in col and values
    const Index* col;      // (nnz) column of each entry, trusted to lie in [0, columns)
    const Scalar* values;  // (nnz)
    std::int64_t rows;
    std::int64_t columns;
};

}  // namespace dtpinn
