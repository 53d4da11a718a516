// What every way of computing a network checks first.
#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include "network.h"

namespace dtpinn {

void check_network(const char* op, const NetworkCall& call) {
    const auto& x = call.x;
    TORCH_CHECK_VALUE(x.dim() == 2, op, ": x must be (n, inputs), got shape ", x.sizes());
    TORCH_CHECK_TYPE(x.is_floating_point(), op, ": x must be real floating point numbers, got ",
                     x.scalar_type());
    TORCH_CHECK_VALUE(!call.parameters.empty() && call.parameters.size() % 2 == 0, op,
                      ": parameters must be a weight and a bias for each layer, got ",
                      call.parameters.size(), " tensors");
    for (const auto& t : call.tensors()) {
        if (!t.defined()) continue;
        TORCH_CHECK_TYPE(t.scalar_type() == x.scalar_type(), op,
                         ": all tensors must have the dtype "
                         "of x (",
                         x.scalar_type(), "), got ", t.scalar_type());
        TORCH_CHECK_VALUE(t.device() == x.device(), op, ": all tensors must be on one device, got ",
                          x.device(), " and ", t.device());
    }
    auto width = x.sym_size(1);
    for (std::int64_t l = 0; l < call.maps(); ++l) {
        const auto &weight = call.parameters[2 * l], &bias = call.parameters[2 * l + 1];
        TORCH_CHECK_VALUE(weight.dim() == 2 && weight.sym_size(1) == width, op, ": weight ", l,
                          " must be (out, ", width, "), got shape ", weight.sym_sizes());
        width = weight.sym_size(0);
        TORCH_CHECK_VALUE(bias.dim() == 1 && bias.sym_size(0) == width, op, ": bias ", l,
                          " must be (", width, ",), got shape ", bias.sym_sizes());
    }
    TORCH_CHECK_VALUE(width > 0, op, ": the last weight must have a row for each output, at least ",
                      "one, got shape ", call.parameters[2 * call.maps() - 2].sym_sizes());
    if (call.has_tangents())
        TORCH_CHECK_VALUE(
            call.directions.dim() == 3 && call.directions.sym_sizes().slice(1) == x.sym_sizes(), op,
            ": directions must be (tangents, n, inputs) with the shape of x, ", x.sym_sizes(),
            ", got ", call.directions.sym_sizes());
    const auto& around = call.normalisation;
    TORCH_CHECK_VALUE(around.empty() || around.size() == 4, op,
                      ": normalisation must be nothing, or middle, factor, centre and unit, got ",
                      around.size(), " tensors");
    for (std::size_t i = 0; i < around.size(); ++i) {
        const auto wanted = i < 2 ? x.sym_size(1) : width;
        TORCH_CHECK_VALUE(around[i].dim() == 1 && around[i].sym_size(0) == wanted, op,
                          ": normalisation ", i, " must be (", wanted, ",), got shape ",
                          around[i].sym_sizes());
    }
}

}  // namespace dtpinn
