// The CPU kernels: one table of function pointers per instruction set, no torch.
#pragma once

#include "../csr/view.h"
#include "target.h"

namespace dtpinn {

// Each kernel handles rows [begin, end) and writes nothing else. A row is summed in an order that
// depends on its length and the instruction set alone, so that neither splitting the rows among
// threads nor the way in which x is loaded changes a bit of the result.
template <typename Scalar, typename Index>
struct CsrKernels {
    // y[i] = sum_e values[e] x[col[e]]
    void (*product_vector)(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                           std::int64_t begin, std::int64_t end);
    // y[i, :] = sum_e values[e] x[col[e], :], k contiguous columns
    void (*product_columns)(const CsrView<Scalar, Index>& A, const Scalar* x, Scalar* y,
                            std::int64_t k, std::int64_t begin, std::int64_t end);
    // out[e] = <y[i, :], x[col[e], :]> for every entry e of rows [begin, end)
    void (*sampled)(const CsrView<Scalar, Index>& A, const Scalar* y, const Scalar* x, Scalar* out,
                    std::int64_t k, std::int64_t begin, std::int64_t end);
};

enum class InstructionSet { baseline, avx2, avx512 };

// How x[col[e]] is loaded, where x is a vector: a load for each lane of a register, or an
// instruction for all of them, which `baseline` lacks.
enum class Loading { scalar, gather };

// The table of one instruction set. Only sets that this processor has may be run.
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& csr_kernels(InstructionSet set, Loading loading);

}  // namespace dtpinn
