// Derivatives of the operators: hand-written autograd nodes, as torch's own kernels have them,
// registered under the Autograd key for every device.
//
// A Node, and neither a C++ autograd::Function (it refuses forward mode and torch.func) nor a
// Python formula (silently no forward mode, and several times the overhead). Each derivative calls
// the dispatcher's operators, never a kernel, so that it can be differentiated, batched and traced
// in turn.
#include <ATen/ATen.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/library.h>
#include <torch/version.h>

#include <mutex>

#include "ops.h"

namespace dtpinn {
namespace {

using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

// torch 2.13 moved autograd nodes from shared_ptr to intrusive_ptr.
template <typename Node>
auto make_node() {
#if TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR < 13
    return std::shared_ptr<Node>(new Node(), torch::autograd::deleteNode);
#else
    return c10::make_intrusive<Node>();
#endif
}

struct CsrProductBackward : public torch::autograd::Node {
    CsrTensors A;  // integers and values_t; `values` lives in saved_values
    SavedVariable saved_values, saved_x;
    bool transpose = false;

    std::string name() const override { return "CsrProductBackward"; }

    void release_variables() override {
        const std::lock_guard<std::mutex> lock(mutex_);
        saved_values.reset_data();
        saved_x.reset_data();
    }

    // y = A x:    dx = A^T g,  dvalues[i, j] = <g_i, x_j>
    // y = A^T x:  dx = A g,    dvalues[i, j] = <x_i, g_j>
    variable_list apply(variable_list&& grads) override {
        const std::lock_guard<std::mutex> lock(mutex_);  // two threads may run one graph
        variable_list result(2);
        const at::Tensor& g = grads[0];
        if (!g.defined()) return result;
        const CsrTensors matrix{A.crow,     A.col, saved_values.unpack(), A.crow_t, A.col_t,
                                A.values_t, A.perm};
        if (task_should_compute_output(0)) {
            const auto x = saved_x.unpack();
            result[0] = transpose ? csr_sampled(matrix, x, g) : csr_sampled(matrix, g, x);
        }
        if (task_should_compute_output(1)) result[1] = csr_product(matrix, g, !transpose);
        return result;
    }
};

struct CsrSampledBackward : public torch::autograd::Node {
    CsrTensors A;
    SavedVariable saved_y, saved_x;

    std::string name() const override { return "CsrSampledBackward"; }

    void release_variables() override {
        const std::lock_guard<std::mutex> lock(mutex_);
        saved_y.reset_data();
        saved_x.reset_data();
    }

    // v[i, j] = <y_i, x_j>: with G the matrix whose values are the gradient, dy = G x, dx = G^T y.
    variable_list apply(variable_list&& grads) override {
        const std::lock_guard<std::mutex> lock(mutex_);
        variable_list result(2);
        if (!grads[0].defined()) return result;
        const auto G = A.with_values(grads[0]);
        if (task_should_compute_output(0)) result[0] = csr_product(G, saved_x.unpack(), false);
        if (task_should_compute_output(1)) result[1] = csr_product(G, saved_y.unpack(), true);
        return result;
    }
};

at::Tensor sum_defined(const at::Tensor& a, const at::Tensor& b) {
    if (!a.defined()) return b;
    return b.defined() ? a + b : a;
}

at::Tensor tangent(const at::Tensor& t) { return t._fw_grad(/*level=*/0); }

// The value without its tangent: a tangent must not carry one of its own at the same level.
at::Tensor primal(const at::Tensor& t) {
    return tangent(t).defined() ? t._fw_primal(/*level=*/0) : t;
}

at::Tensor product_autograd(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& values,
                            const at::Tensor& crow_t, const at::Tensor& col_t,
                            const std::optional<at::Tensor>& values_t, const at::Tensor& perm,
                            const at::Tensor& x, bool transpose) {
    const CsrTensors A{crow, col, values, crow_t, col_t, values_t, perm};
    decltype(make_node<CsrProductBackward>()) node;
    if (torch::autograd::compute_requires_grad(values, x)) {
        node = make_node<CsrProductBackward>();
        node->set_next_edges(torch::autograd::collect_next_edges(values, x));
        node->A = {crow, col, {}, crow_t, col_t, values_t, perm};
        node->saved_values = SavedVariable(values, /*is_output=*/false);
        // The operand is only needed where the matrix itself is being learnt.
        if (values.requires_grad()) node->saved_x = SavedVariable(x, false);
        node->transpose = transpose;
    }
    at::Tensor y;
    {
        at::AutoDispatchBelowADInplaceOrView guard;
        y = csr_product(A, x, transpose);
    }
    if (node) torch::autograd::set_history(y, node);
    const auto dvalues = tangent(values), dx = tangent(x);
    if (dvalues.defined() || dx.defined()) {
        at::Tensor dy;
        if (dvalues.defined()) dy = csr_product(A.with_values(dvalues), primal(x), transpose);
        if (dx.defined()) {
            CsrTensors P = A;
            P.values = primal(values);
            if (values_t.has_value()) P.values_t = primal(*values_t);
            dy = sum_defined(dy, csr_product(P, dx, transpose));
        }
        y._set_fw_grad(dy, /*level=*/0, /*is_inplace_op=*/false);
    }
    return y;
}

at::Tensor sampled_autograd(const at::Tensor& crow, const at::Tensor& col, const at::Tensor& crow_t,
                            const at::Tensor& col_t, const at::Tensor& perm, const at::Tensor& y,
                            const at::Tensor& x) {
    const CsrTensors A{crow, col, {}, crow_t, col_t, std::nullopt, perm};
    decltype(make_node<CsrSampledBackward>()) node;
    if (torch::autograd::compute_requires_grad(y, x)) {
        node = make_node<CsrSampledBackward>();
        node->set_next_edges(torch::autograd::collect_next_edges(y, x));
        node->A = A;
        node->saved_y = SavedVariable(y, /*is_output=*/false);
        node->saved_x = SavedVariable(x, false);
    }
    at::Tensor v;
    {
        at::AutoDispatchBelowADInplaceOrView guard;
        v = csr_sampled(A, y, x);
    }
    if (node) torch::autograd::set_history(v, node);
    const auto dy = tangent(y), dx = tangent(x);
    if (dy.defined() || dx.defined()) {
        at::Tensor dv;
        if (dy.defined()) dv = csr_sampled(A, dy, primal(x));
        if (dx.defined()) dv = sum_defined(dv, csr_sampled(A, primal(y), dx));
        v._set_fw_grad(dv, /*level=*/0, /*is_inplace_op=*/false);
    }
    return v;
}

}  // namespace

TORCH_LIBRARY_IMPL(dtpinn, Autograd, m) {
    m.impl("csr_product", product_autograd);
    m.impl("csr_sampled", sampled_autograd);
    m.impl("csr_transpose", torch::CppFunction::makeFallthrough());
}

}  // namespace dtpinn
