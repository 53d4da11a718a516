#include "call.h"

#include <ATen/PythonTorchFunctionTLS.h>
#include <pybind11/pybind11.h>
#include <torch/csrc/Exceptions.h>
#include <torch/csrc/autograd/python_variable.h>

#include "ops.h"

namespace dtpinn {
namespace {

// What can be given to the dispatcher as it is: a Tensor or a Parameter, nobody's subclass.
bool is_plain(PyObject* object) { return object != nullptr && THPVariable_CheckExact(object); }

// An entry of a module's dict, borrowed; nullptr where there is none.
PyObject* find(PyObject* dict, PyObject* name) { return PyDict_GetItemWithError(dict, name); }

PyObject* not_implemented() { Py_RETURN_NOTIMPLEMENTED; }

// Names of the buffers, made once.
struct Names {
    PyObject* crow = PyUnicode_InternFromString("crow");
    PyObject* col = PyUnicode_InternFromString("col");
    PyObject* values = PyUnicode_InternFromString("values");
    PyObject* crow_t = PyUnicode_InternFromString("crow_t");
    PyObject* col_t = PyUnicode_InternFromString("col_t");
    PyObject* values_t = PyUnicode_InternFromString("values_t");
    PyObject* perm = PyUnicode_InternFromString("perm");
};

// Whether values_t is still a copy of `values`: the same tensor, not written to since, not learnt.
bool is_mirrored(PyObject* mirrored, PyObject* object, const at::Tensor& values) {
    return PyTuple_GET_ITEM(mirrored, 0) == object && !values.requires_grad() &&
           PyLong_AsLongLong(PyTuple_GET_ITEM(mirrored, 1)) ==
               static_cast<long long>(values._version());
}

}  // namespace

PyObject* multiply(PyObject*, PyObject* const* arguments, Py_ssize_t count) {
    HANDLE_TH_ERRORS
    static const Names names;
    TORCH_CHECK_TYPE(count == 5 && PyDict_Check(arguments[0]) && PyDict_Check(arguments[1]) &&
                         PyTuple_Check(arguments[2]) && PyTuple_GET_SIZE(arguments[2]) == 2,
                     "multiply: expected buffers, parameters, (values, version), x, transpose");
    PyObject* const buffers = arguments[0];
    PyObject* const x = arguments[3];
    if (!is_plain(x) || at::impl::torch_function_mode_enabled()) return not_implemented();

    PyObject* values = find(buffers, names.values);
    if (values == nullptr) values = find(arguments[1], names.values);
    if (!is_plain(values)) return not_implemented();
    CsrTensors A;
    const std::pair<PyObject*, at::Tensor*> structure[] = {
        {names.crow, &A.crow},   {names.col, &A.col},   {names.crow_t, &A.crow_t},
        {names.col_t, &A.col_t}, {names.perm, &A.perm},
    };
    for (const auto& [name, tensor] : structure) {
        PyObject* const found = find(buffers, name);
        if (!is_plain(found)) return not_implemented();
        *tensor = THPVariable_Unpack(found);
    }
    A.values = THPVariable_Unpack(values);
    PyObject* const values_t = find(buffers, names.values_t);
    if (is_plain(values_t) && is_mirrored(arguments[2], values, A.values))
        A.values_t = THPVariable_Unpack(values_t);
    const auto& operand = THPVariable_Unpack(x);
    const bool transpose = arguments[4] == Py_True;

    at::Tensor y;
    {
        const pybind11::gil_scoped_release release;
        y = csr_product(A, operand, transpose);
    }
    return THPVariable_Wrap(std::move(y));
    END_HANDLE_TH_ERRORS
}

}  // namespace dtpinn
