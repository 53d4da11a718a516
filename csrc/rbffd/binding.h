// dtpinn._C.solve_stencils: how dtpinn.rbffd calls the solver.
#pragma once

#include <pybind11/pybind11.h>

namespace dtpinn {

void bind_stencil_solver(pybind11::module_& m);

}  // namespace dtpinn
