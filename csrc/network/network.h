// The fused network as torch sees it: what a call is made of, its checks, and the two ways to
// compute it.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace dtpinn {

// The operands of one call. Tensors that are not given are not defined.
struct NetworkCall {
    at::Tensor x;                           // (n, inputs)
    at::Tensor directions;                  // (tangents, n, inputs), or none
    std::vector<at::Tensor> parameters;     // weight (out, in) and bias (out) of each affine map
    std::vector<at::Tensor> normalisation;  // none, or middle, factor (inputs), centre, unit (m)

    bool has_tangents() const { return directions.defined(); }
    std::int64_t maps() const { return static_cast<std::int64_t>(parameters.size()) / 2; }
    // All that is differentiated, in the order of gradients: x, directions, parameters.
    std::vector<at::Tensor> operands() const {
        std::vector<at::Tensor> all{x, directions};
        all.insert(all.end(), parameters.begin(), parameters.end());
        return all;
    }
    std::vector<at::Tensor> tensors() const {
        auto all = operands();
        all.insert(all.end(), normalisation.begin(), normalisation.end());
        return all;
    }
};

// Shapes, dtypes and devices; raises ValueError or TypeError, named after the operator.
void check_network(const char* op, const NetworkCall& call);

// The plain torch expression, on any device, in any dtype, under any transform, differentiable
// again: (n, m); with tangents (1 + tangents, n, m), the values first.
at::Tensor plain_network(const NetworkCall& call);

// The gradients of <g, network> in the operands, undefined where not `wanted`.
std::vector<at::Tensor> plain_gradients(const NetworkCall& call, const at::Tensor& g,
                                        const std::vector<bool>& wanted);

// (n, passes m, parameters): the Jacobian of every point's values, then of its tangents.
at::Tensor plain_jacobian(const NetworkCall& call);

// Whether the kernels can be used, now: on plain tensors on the CPU, in float64 or float32, and not
// under a transform or mode that has to see every operation.
bool can_fuse(const std::vector<at::Tensor>& tensors);

// What a call leaves for its gradients.
struct NetworkKept {
    at::Tensor packed, hidden;
};

// The kernels: as the plain expression. `kept` is filled where it is given.
at::Tensor fused_network(const NetworkCall& call, NetworkKept* kept);
std::vector<at::Tensor> fused_gradients(const NetworkCall& call, const at::Tensor& g,
                                        const NetworkKept& kept, const std::vector<bool>& wanted);
at::Tensor fused_jacobian(const NetworkCall& call);

}  // namespace dtpinn
