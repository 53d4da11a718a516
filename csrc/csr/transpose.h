// Transpose of a CSR structure by counting, in O(rows + columns + nnz): no sort, no torch.
#pragma once

#include <cstdint>

namespace dtpinn {

// Writes the structure of A^T and the permutation that carries the values over:
// values_t[e] = values[permutation[e]]. Within a row of A^T the columns come out ascending, and
// duplicates of one entry keep their order, so the result depends on nothing but the input.
template <typename Index>
void transpose_structure(const Index* crow, const Index* col, std::int64_t rows,
                         std::int64_t columns, Index* crow_t, Index* col_t, Index* permutation) {
    for (std::int64_t j = 0; j <= columns; ++j) crow_t[j] = 0;
    const std::int64_t nnz = crow[rows];
    for (std::int64_t e = 0; e < nnz; ++e) ++crow_t[col[e] + 1];
    for (std::int64_t j = 0; j < columns; ++j) crow_t[j + 1] += crow_t[j];

    // crow_t[j] serves as the insertion point of row j: afterwards it holds the start of row
    // j + 1, and one backward shift puts the starts in place without a second array.
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t e = crow[i]; e < crow[i + 1]; ++e) {
            const std::int64_t slot = crow_t[col[e]]++;
            col_t[slot] = static_cast<Index>(i);
            permutation[slot] = static_cast<Index>(e);
        }
    }
    for (std::int64_t j = columns; j > 0; --j) crow_t[j] = crow_t[j - 1];
    crow_t[0] = 0;
}

}  // namespace dtpinn
