// Derivatives of the operators, of every order, backward and forward, registered under the Autograd
// key for every device. Each calls the dispatcher's operators, never a kernel, so that it can be
// differentiated, batched and traced in turn.
#include <ATen/ATen.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/library.h>

#include "node.h"
#include "ops.h"

namespace dtpinn {
namespace {

// y = A x:    dvalues[i, j] = <g_i, x_j>,  dx = A^T g
// y = A^T x:  dvalues[i, j] = <x_i, g_j>,  dx = A g
variable_list product_gradients(const Saved& saved, const at::Tensor& g,
                                std::array<bool, 2> wanted) {
    CsrTensors A = saved.A;
    A.values = saved.first;
    const auto& x = saved.second;
    variable_list result(2);
    if (wanted[0]) result[0] = saved.transpose ? csr_sampled(A, x, g) : csr_sampled(A, g, x);
    if (wanted[1]) result[1] = csr_product(A, g, !saved.transpose);
    return result;
}

// v[i, j] = <y_i, x_j>: with G the matrix whose values are the gradient, dy = G x, dx = G^T y.
variable_list sampled_gradients(const Saved& saved, const at::Tensor& g,
                                std::array<bool, 2> wanted) {
    const auto G = saved.A.with_values(g);
    variable_list result(2);
    if (wanted[0]) result[0] = csr_product(G, saved.second, false);
    if (wanted[1]) result[1] = csr_product(G, saved.first, true);
    return result;
}

struct CsrProductBackward : CsrNode<product_gradients> {
    std::string name() const override { return "CsrProductBackward"; }
};

struct CsrSampledBackward : CsrNode<sampled_gradients> {
    std::string name() const override { return "CsrSampledBackward"; }
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
        node->first = SavedVariable(values, /*is_output=*/false);
        // The operand is only needed where the matrix itself is being learnt.
        if (values.requires_grad()) node->second = SavedVariable(x, false);
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
        node->first = SavedVariable(y, /*is_output=*/false);
        node->second = SavedVariable(x, false);
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
