// The table of the kernels, compiled once per instruction set (csrc/cpu/target.h).
#pragma once

#include "kernels.h"
#include "layers.inl"
#include "rows.inl"

namespace dtpinn {
namespace DTPINN_TARGET {

template <typename Scalar>
const NetworkKernels<Scalar>& network_table() {
    static const NetworkKernels<Scalar> table{
        kUnit<Scalar>, kTile, pack<Scalar>, values<Scalar>, gradients<Scalar>, jacobian<Scalar>};
    return table;
}

template const NetworkKernels<double>& network_table();
template const NetworkKernels<float>& network_table();

}  // namespace DTPINN_TARGET
}  // namespace dtpinn
