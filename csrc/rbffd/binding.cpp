// The solver of the stencils' systems on NumPy arrays: checks, allocates, and leaves Python to
// other threads while it runs. The threads are the caller's.
#include "binding.h"

#include <pybind11/numpy.h>

#include <memory>
#include <new>
#include <string>

#include "../cpu/dispatch.h"
#include "system.h"

namespace py = pybind11;

namespace dtpinn {

namespace baseline {
StencilSolver solver();
}
namespace avx2 {
StencilSolver solver();
}
namespace avx512 {
StencilSolver solver();
}

StencilSolver stencil_solver(InstructionSet set) {
#if defined(__x86_64__)
    if (set == InstructionSet::avx512) return avx512::solver();
    if (set == InstructionSet::avx2) return avx2::solver();
#endif
    return baseline::solver();
}

namespace {

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Integers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

constexpr std::align_val_t kAlignment{64};

struct Free {
    void operator()(double* memory) const { ::operator delete[](memory, kAlignment); }
};

void expect(bool condition, const std::string& what) {
    if (!condition) throw py::value_error("solve_stencils: " + what);
}

// In [low, high]: what is read from the arrays below is used to index others.
void expect_range(const Integers& values, std::int64_t low, std::int64_t high, const char* name) {
    for (py::ssize_t i = 0; i < values.size(); ++i)
        expect(values.data()[i] >= low && values.data()[i] <= high,
               std::string(name) + " must be in [" + std::to_string(low) + ", " +
                   std::to_string(high) + "], got " + std::to_string(values.data()[i]));
}

py::tuple solve_stencils(const Numbers& offsets, const Numbers& points, std::int64_t exponent,
                         const Integers& degrees, const Integers& alpha, const Integers& first_term,
                         const Integers& powers, const Numbers& factors, const Numbers& probes) {
    expect(offsets.ndim() == 3 && points.ndim() == 3,
           "offsets and points must be (stencils, :, d)");
    const py::ssize_t count = offsets.shape(0), n = offsets.shape(1), d = offsets.shape(2);
    expect(points.shape(0) == count && points.shape(2) == d,
           "points must be (" + std::to_string(count) + ", :, " + std::to_string(d) + ")");
    for (const auto* table : {&degrees, &alpha, &powers})
        expect(table->ndim() == 2 && table->shape(1) == d,
               "degrees, alpha and powers must be (:, " + std::to_string(d) + ")");
    expect(first_term.ndim() == 1 && first_term.size() == alpha.shape(0) + 1 &&
               factors.ndim() == 1 && factors.size() == powers.shape(0),
           "first_term must be (derivatives + 1), factors must be (terms)");
    expect(probes.ndim() == 2 && probes.shape(1) == n + degrees.shape(0) && probes.shape(0) > 0,
           "probes must be (:, " + std::to_string(n + degrees.shape(0)) + "), at least one");
    std::int64_t degree = 0;
    for (py::ssize_t i = 0; i < degrees.size(); ++i)
        if (degrees.data()[i] > degree) degree = degrees.data()[i];
    expect_range(degrees, 0, degree, "degrees");
    expect_range(alpha, 0, exponent - 1, "alpha");
    expect_range(first_term, 0, factors.size(), "first_term");
    const StencilSystem system{d,
                               n,
                               exponent,
                               degree,
                               degrees.shape(0),
                               degrees.data(),
                               points.shape(1),
                               alpha.shape(0),
                               alpha.data(),
                               first_term.data(),
                               powers.data(),
                               factors.data(),
                               probes.shape(0),
                               probes.data()};
    py::array_t<double> weights({count, points.shape(1), alpha.shape(0), n});
    py::array_t<double> condition(count);
    auto* out = weights.mutable_data();
    auto* estimate = condition.mutable_data();
    {
        py::gil_scoped_release release;
        const std::size_t bytes = sizeof(double) * workspace_size(system);
        const std::unique_ptr<double[], Free> workspace(
            static_cast<double*>(::operator new[](bytes, kAlignment)));
        stencil_solver(instruction_set())(system, offsets.data(), points.data(), out, estimate,
                                          count, workspace.get());
    }
    return py::make_tuple(weights, condition);
}

}  // namespace

void bind_stencil_solver(py::module_& m) {
    m.def("solve_stencils", &solve_stencils, py::arg("offsets"), py::arg("points"), py::kw_only(),
          py::arg("exponent"), py::arg("degrees"), py::arg("alpha"), py::arg("first_term"),
          py::arg("powers"), py::arg("factors"), py::arg("probes"),
          "Weights (stencils, points, derivatives, n) and condition estimates (stencils,) of "
          "shifted and scaled stencils; see csrc/rbffd/system.h.");
}

}  // namespace dtpinn
