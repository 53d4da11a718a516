// Which instruction set the kernels run with, and how they load x.
#pragma once

#include "kernels.h"

namespace dtpinn {

// Chosen once: the best that torch would use and this processor has. The environment variable
// ATEN_CPU_CAPABILITY (default, avx2, avx512) lowers it, for torch and for dtpinn alike.
InstructionSet instruction_set();

// Chosen once, when it is first asked for: what is faster here (loading.h). The environment
// variable DTPINN_LOADS (scalar, gather) decides it instead.
template <typename Scalar, typename Index>
Loading loading();

// The table that is in use.
template <typename Scalar, typename Index>
const CsrKernels<Scalar, Index>& csr_kernels() {
    return csr_kernels<Scalar, Index>(instruction_set(), loading<Scalar, Index>());
}

const char* name(InstructionSet set);
const char* name(Loading loading);

}  // namespace dtpinn
