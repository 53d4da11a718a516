// The operators of the fused network, and their derivatives.
//
// The kernels compute values and first derivatives of plain tensors. Whatever else is asked is the
// plain torch expression: derivatives of derivatives and forward mode, whose rules torch then
// knows, torch.func, vmap and tracing, other devices and dtypes.
#include <ATen/ATen.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/library.h>

#include "network.h"
#include "node.h"

namespace dtpinn {
namespace {

NetworkCall as_call(const char* op, const at::Tensor& x, const at::Tensor& directions,
                    at::TensorList parameters, at::TensorList normalisation) {
    NetworkCall call{x, directions, parameters.vec(), normalisation.vec()};
    check_network(op, call);
    return call;
}

// Below autograd, and where nobody wants a derivative.
at::Tensor forward(const NetworkCall& call) {
    return can_fuse(call.tensors()) ? fused_network(call, nullptr) : plain_network(call);
}

at::Tensor differentiable(const NetworkCall& call) {
    const auto operands = call.operands();
    bool learnt = false;  // the normalisation itself
    for (const auto& t : call.normalisation) learnt = learnt || t.requires_grad();
    if (learnt || !can_fuse(call.tensors())) return plain_network(call);
    if (!torch::autograd::compute_requires_grad(operands)) {
        at::AutoDispatchBelowADInplaceOrView guard;
        return fused_network(call, nullptr);
    }
    auto node = make_node<NetworkBackward>();
    node->set_next_edges(torch::autograd::collect_next_edges(operands));
    node->save(call);
    at::Tensor y;
    {
        at::AutoDispatchBelowADInplaceOrView guard;
        y = fused_network(call, &node->kept);
    }
    torch::autograd::set_history(y, node);
    return y;
}

using Evaluate = at::Tensor (*)(const NetworkCall& call);

template <Evaluate evaluate>
at::Tensor network(const at::Tensor& x, at::TensorList parameters, at::TensorList normalisation) {
    return evaluate(as_call("network", x, {}, parameters, normalisation));
}

template <Evaluate evaluate>
at::Tensor network_tangents(const at::Tensor& x, const at::Tensor& directions,
                            at::TensorList parameters, at::TensorList normalisation) {
    return evaluate(as_call("network_tangents", x, directions, parameters, normalisation));
}

at::Tensor network_jacobian(const at::Tensor& x, const std::optional<at::Tensor>& directions,
                            at::TensorList parameters, at::TensorList normalisation) {
    const auto call = as_call("network_jacobian", x, directions.value_or(at::Tensor()), parameters,
                              normalisation);
    return can_fuse(call.tensors()) ? fused_jacobian(call) : plain_jacobian(call);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(dtpinn, m) {
    m.def("network(Tensor x, Tensor[] parameters, Tensor[] normalisation) -> Tensor",
          {at::Tag::pt2_compliant_tag});
    m.def(
        "network_tangents(Tensor x, Tensor directions, Tensor[] parameters, "
        "Tensor[] normalisation) -> Tensor",
        {at::Tag::pt2_compliant_tag});
    m.def(
        "network_jacobian(Tensor x, Tensor? directions, Tensor[] parameters, "
        "Tensor[] normalisation) -> Tensor",
        {at::Tag::pt2_compliant_tag});
}

// Every backend, fake and meta tensors among them; the CPU where nothing has to be differentiated.
TORCH_LIBRARY_IMPL(dtpinn, CompositeExplicitAutograd, m) {
    m.impl("network", network<forward>);
    m.impl("network_tangents", network_tangents<forward>);
    m.impl("network_jacobian", network_jacobian);
}

TORCH_LIBRARY_IMPL(dtpinn, Autograd, m) {
    m.impl("network", network<differentiable>);
    m.impl("network_tangents", network_tangents<differentiable>);
    m.impl("network_jacobian", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(dtpinn, FuncTorchBatched, m) {
    m.impl("network", network<plain_network>);
    m.impl("network_tangents", network_tangents<plain_network>);
    m.impl("network_jacobian", network_jacobian);
}

}  // namespace dtpinn
