// As many rows of a column, or nodes of a stencil, as a register holds.
#pragma once

#include "../cpu/lanes.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

using Row = Lanes<double, DTPINN_LANE_BYTES>::type;
constexpr std::int64_t kLanes = Lanes<double, DTPINN_LANE_BYTES>::count;

static inline Row row(const double* p) { return load<DTPINN_LANE_BYTES>(p); }

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
