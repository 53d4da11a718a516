// Which way of loading x is the faster. The machine is asked, since the processor's name does not
// tell: a gather takes as long as its loads on some, several times as long on others, and since
// 2023 on many more, whose microcode was changed against a leak of data through it.
#pragma once

#include "kernels.h"

namespace dtpinn {

// Multiplies a small matrix in both ways, in turn, for about half a millisecond on this thread.
// `set` must have gathers.
template <typename Scalar, typename Index>
Loading faster_loading(InstructionSet set);

}  // namespace dtpinn
