// dtpinn._C.multiply: the product as dtpinn.CSR calls it, in one step from Python.
#pragma once

#include <Python.h>

namespace dtpinn {

// multiply(buffers, parameters, mirrored, x, transpose) -> Tensor, or NotImplemented where the call
// has to go through torch.ops: for a subclass of Tensor, or under a mode that wants to see calls.
//   buffers, parameters  dicts of the module that holds the matrix; `values` is in one of them
//   mirrored             (values, version) of which buffers["values_t"] is a copy
PyObject* multiply(PyObject* module, PyObject* const* arguments, Py_ssize_t count);

}  // namespace dtpinn
