// The one check of a matrix's integers.
#pragma once

#include <ATen/core/Tensor.h>

namespace dtpinn {

// The part of it that needs no look at the integers: dtypes, shapes, devices, the range of columns.
void check_structure_sizes(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns);

// All of it, for indices on the CPU. Raises ValueError or TypeError, naming the offending entry,
// unless crow (rows + 1) starts at 0, never decreases and ends at the length of col, and every
// column lies in [0, columns).
void validate_structure(const at::Tensor& crow, const at::Tensor& col, std::int64_t columns);

}  // namespace dtpinn
