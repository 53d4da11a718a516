// Which instruction set the kernels run with.
#pragma once

#include "kernels.h"

namespace dtpinn {

// Chosen once: the best that torch would use and this processor has. The environment variable
// ATEN_CPU_CAPABILITY (default, avx2, avx512) lowers it, for torch and for dtpinn alike.
InstructionSet instruction_set();

const char* name(InstructionSet set);

}  // namespace dtpinn
