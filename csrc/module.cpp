// dtpinn._C: importing it registers the operators of torch.ops.dtpinn; the module itself tells what
// was built, against what, and what is in use.
#include <ATen/Parallel.h>
#include <pybind11/pybind11.h>
#include <torch/version.h>

#include "cpu/dispatch.h"
#include "csr/call.h"
#include "rbffd/binding.h"

namespace py = pybind11;

namespace {

py::dict build_info() {
    py::dict info;
    info["torch"] = TORCH_VERSION;
    info["compiler"] =
#if defined(__clang__)
        "clang " __clang_version__;
#else
        "gcc " __VERSION__;
#endif
#if defined(DTPINN_WITH_CUDA)
    info["cuda"] = DTPINN_CUDA_VERSION;
    info["cuda_architectures"] = DTPINN_CUDA_ARCHITECTURES;
#else
    info["cuda"] = py::none();
    info["cuda_architectures"] = py::none();
#endif
#if defined(_OPENMP)
    info["openmp"] = true;
#else
    info["openmp"] = false;
#endif
#if defined(DTPINN_SANITIZE)
    info["sanitize"] = DTPINN_SANITIZE;
#else
    info["sanitize"] = py::none();
#endif
    return info;
}

// For int32 indices, as dtpinn.CSR stores them.
py::dict loads() {
    py::dict found;
    found["float64"] = dtpinn::name(dtpinn::loading<double, std::int32_t>());
    found["float32"] = dtpinn::name(dtpinn::loading<float, std::int32_t>());
    return found;
}

// Not through pybind11, whose conversions cost as much as a small product.
PyMethodDef functions[] = {
    {"multiply", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(&dtpinn::multiply)),
     METH_FASTCALL, "The product as dtpinn.CSR calls it; see csrc/csr/call.h."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace

PYBIND11_MODULE(_C, m) {
    m.doc() = "Compiled part of dtpinn: registers torch.ops.dtpinn on import.";
    m.def("build_info", &build_info,
          "What the extension was built against: torch, compiler, cuda, cuda_architectures, "
          "openmp, sanitize.");
    m.def(
        "instruction_set", [] { return dtpinn::name(dtpinn::instruction_set()); },
        "The instruction set the CPU kernels use: baseline, avx2 or avx512.");
    m.def("loads", &loads,
          "How the CPU kernels load a vector by its indices, for each dtype: scalar or gather, as "
          "measured when it was first needed, or as DTPINN_LOADS says.");
    m.def(
        "num_threads", [] { return at::get_num_threads(); },
        "Threads the CPU kernels may use; torch.set_num_threads changes it.");
    PyModule_AddFunctions(m.ptr(), functions);
    dtpinn::bind_stencil_solver(m);
}
