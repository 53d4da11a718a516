// The one check of a matrix's integers.
#pragma once

#include <ATen/core/Tensor.h>

namespace dtpinn {

// Raises ValueError or TypeError, naming the offending entry, unless crow (rows + 1) starts at 0,
// never decreases and ends at the length of col, and every column lies in [0, columns).
void validate_structure(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns);

}  // namespace dtpinn
